import { type Command, Flags } from "@oclif/core";
import type { KeyValueTarget, ReadOptions, Shown } from "../operations/kv.js";
import { ClusterCommand } from "./cluster-command.js";
import { durationFlag, indexFlag } from "./flags.js";

/** What every `kv` command takes. */
export const keyValueFlags = {
	node: Flags.string({
		char: "n",
		helpValue: "<node>",
		summary: "Ask this node itself instead of the balancer.",
	}),
	timeout: durationFlag({
		default: 5_000,
		summary: "How long to try, 5s by default.",
	}),
};

/** What those that only read take besides. */
export const readFlags = {
	consistency: Flags.option({
		options: ["linearizable", "stale"] as const,
		default: "linearizable" as const,
		summary:
			"linearizable sees every write answered before; stale is what the node has.",
	})(),
	"min-index": indexFlag({
		default: 0,
		summary: "Wait until this raft index (a version) is applied.",
	}),
};

/** A command that reads or writes the bundled key-value machine. */
export abstract class KeyValueCommand<
	T extends typeof Command,
> extends ClusterCommand<T> {
	protected async target(flags: {
		readonly node: string | undefined;
		readonly timeout: number;
	}): Promise<KeyValueTarget> {
		return {
			inventory: await this.inventory(),
			node: flags.node ?? null,
			timeoutMs: flags.timeout,
			signal: this.signal,
		};
	}
}

export function readOptions(flags: {
	readonly consistency: ReadOptions["consistency"];
	readonly "min-index": number;
}): ReadOptions {
	return { consistency: flags.consistency, minIndex: flags["min-index"] };
}

/** For the terminal: text as it is, other bytes marked as base64. */
export function shownText(value: Shown): string {
	return typeof value === "string" ? value : `base64:${value.base64}`;
}
