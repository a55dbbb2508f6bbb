import type { Inventory } from "../config/inventory.js";
import type { Host } from "../hosts/host.js";

/** A balancer whose configuration raftctl renders onto its hosts: what `raftctl balancer` does with it. */
export interface Front {
	readonly kind: "haproxy" | "nginx";
	/** The file on each host. */
	readonly path: string;
	/** What raftctl has to say in that file. */
	render(inventory: Inventory): string;
	/** Looks at one host and changes nothing. Throws OperatorError "unreachable" where the host does not answer. */
	check(host: Host, inventory: Inventory): Promise<FrontFindings>;
	/** Writes the file, judged by the balancer's own program first. Null when it is there already. */
	write(
		host: Host,
		inventory: Inventory,
		signal: AbortSignal,
	): Promise<{ undo(): Promise<void> } | null>;
	/** Has the program on this host read it, and waits until it has. */
	reload(host: string, signal: AbortSignal): Promise<void>;
	/** What it runs with differs from what lies there: empty when it has just these nodes. */
	behind(
		host: string,
		inventory: Inventory,
		signal: AbortSignal,
	): Promise<string | null>;
}

export interface FrontFindings {
	/** The file is as the cluster file has it. */
	readonly written: boolean;
	/** Each in a sentence: what hinders it from working as it should; empty when nothing does. */
	readonly faults: readonly string[];
}
