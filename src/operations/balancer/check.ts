import { OperatorError, reasonOf } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { type RenderedBalancer, renderedBalancer } from "./rendered.js";

export interface CheckReport {
	readonly kind: string;
	readonly path: string;
	/** The longest time from a node's word to the balancer's acting on it. */
	readonly reactionMs: number;
	readonly hosts: readonly HostCheck[];
	/** On every host the file and the program are as they should be. */
	readonly sound: boolean;
}

export interface HostCheck {
	readonly host: string;
	/** False: `balancer apply` changes its file. Null: it could not be asked. */
	readonly written: boolean | null;
	/** Why what runs has other nodes than the file; null when it has the same. */
	readonly behind: string | null;
	readonly faults: readonly string[];
}

/** Whether the balancer's hosts have the configuration that the cluster file makes, and run with it. Changes nothing. */
export async function checkBalancer(
	context: OperationContext,
): Promise<CheckReport> {
	const { inventory, balancer } = context;
	const rendered = renderedBalancer(inventory, (host) =>
		context.machines.host(host, "login"),
	);
	const hosts = await Promise.all(
		rendered.entry.hosts.map((host) => checkHost(context, rendered, host)),
	);
	return {
		kind: rendered.entry.kind,
		path: rendered.front.path,
		reactionMs: balancer?.reactionMs ?? 0,
		hosts,
		sound: hosts.every(
			({ written, behind, faults }) =>
				written === true && behind === null && faults.length === 0,
		),
	};
}

async function checkHost(
	{ inventory, machines, signal }: OperationContext,
	{ front }: RenderedBalancer,
	host: string,
): Promise<HostCheck> {
	try {
		const found = await front.check(
			await machines.host(host, "login"),
			inventory,
		);
		const behind = await front
			.behind(host, inventory, signal)
			// A socket that does not answer is among the faults already.
			.catch(() => null);
		return { host, behind, ...found };
	} catch (error) {
		signal.throwIfAborted();
		if (!(error instanceof OperatorError)) throw error;
		const { next } = error;
		const fault = `${reasonOf(error)}${next === undefined ? "" : `; ${next}`}`;
		return { host, written: null, behind: null, faults: [fault] };
	}
}
