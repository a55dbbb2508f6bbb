import type {
	HaproxyBalancerEntry,
	Inventory,
} from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import { runPrivileged } from "../privilege.js";
import { type Replaced, replaceFile } from "../replace-file.js";
import { sectionIn, withSection } from "./marked-section.js";
import { renderSection } from "./render.js";

interface Wish {
	readonly inventory: Inventory;
	readonly signal: AbortSignal | undefined;
}

/** What lies on a host, against what the cluster file makes of it. */
export interface ConfigState {
	/** The whole file as it should be. */
	readonly wanted: string;
	readonly matches: boolean;
	/** Whether the cluster's part is there at all. */
	readonly present: boolean;
}

/** Throws OperatorError "refused" where there is no file, or its marks are damaged. */
export async function configState(
	host: Host,
	entry: HaproxyBalancerEntry,
	inventory: Pick<Inventory, "name" | "nodes" | "tls">,
): Promise<ConfigState> {
	const found = await host.read(entry.config);
	if (found === null)
		throw new OperatorError(
			"refused",
			`there is no ${entry.config} on ${host.name}`,
			{
				node: host.name,
				state: "nothing was changed",
				next: "install HAProxy there, or name its configuration in balancer.config",
			},
		);
	const text = Buffer.from(found).toString("utf8");
	try {
		const wanted = withSection(
			text,
			inventory.name,
			renderSection(inventory, entry),
		);
		const present = sectionIn(text, inventory.name) !== null;
		return { wanted, present, matches: wanted === text };
	} catch (error) {
		throw new OperatorError(
			"refused",
			`${entry.config} on ${host.name}: ${reasonOf(error)}`,
			{
				node: host.name,
				state: "nothing was changed",
				next: "take what is left of the part out by hand, marks included, then raftctl balancer apply",
			},
		);
	}
}

/** Brings the cluster's part up to date; null when it is already. HAProxy itself has judged the file before it is put in place. */
export async function writeSection(
	host: Host,
	entry: HaproxyBalancerEntry,
	{ inventory, signal }: Wish,
): Promise<Replaced | null> {
	const { wanted, matches } = await configState(host, entry, inventory);
	if (matches) return null;
	return replaceFile(host, {
		path: entry.config,
		content: wanted,
		validate: async (candidate) => {
			const fault = await faultOf(host, candidate, signal);
			if (fault !== null) throw refusal(host, entry, fault);
		},
		signal,
	});
}

/** What HAProxy on its host finds wrong with a configuration; null when it would take it. */
export async function faultOf(
	host: Host,
	path: string,
	signal?: AbortSignal,
): Promise<string | null> {
	const argv = [program, "-c", "-q", "-f", path];
	const { exitCode, stdout, stderr } = await runPrivileged(host, argv, {
		plain: true,
		signal,
	});
	if (exitCode === 0) return null;
	if (exitCode === 127) return `HAProxy is not installed on ${host.name}`;
	const said = `${stderr}\n${stdout}`.split("\n");
	const [first] = said.filter((line) => line.includes("[ALERT]"));
	return (first ?? said[0] ?? "").replace(/^\[ALERT\]\s+\(\d+\) : /, "");
}

/** Debian has it where a plain account's PATH does not lead. */
const program = "/usr/sbin/haproxy";

function refusal(
	host: Host,
	{ config }: HaproxyBalancerEntry,
	fault: string,
): OperatorError {
	return new OperatorError(
		"refused",
		`HAProxy on ${host.name} would not take the new ${config}: ${fault}`,
		{
			node: host.name,
			state: "the file is as it was",
			next: "raftctl balancer render shows what raftctl would write",
		},
	);
}
