import type { Inventory } from "../config/inventory.js";

/** What stands in front of the nodes, as an operation sees it. Where it runs on several hosts, it is all of them. */
export interface Balancer {
	readonly kind: string;
	/** One line a backend, fresh. Throws OperatorError "unreachable" when the balancer does not answer. */
	backends(signal?: AbortSignal): Promise<readonly BackendStatus[]>;
	/**
	 * Sends new connections to these nodes first, for as long as the lease lasts; an empty list ends it. Forgotten by
	 * itself, so that a dead operator leaves nothing behind.
	 */
	prefer(
		nodes: readonly string[],
		leaseMs: number,
		signal?: AbortSignal,
	): Promise<void>;
	/** Has it read its configuration again: other nodes from now on, and connections there are go on. */
	reload(signal?: AbortSignal): Promise<void>;
	/** Writes its configuration for these nodes; heeded from the next `reload` on. Absent where `up` writes it. */
	readonly configure?: (
		inventory: Inventory,
		signal?: AbortSignal,
	) => Promise<void>;
	/** For a balancer that cannot ask the nodes whether they drain: it is told. */
	readonly told?: ToldBalancer;
	/** The longest time from a node's word (drain, ready) to the balancer's acting on it. */
	readonly reactionMs: number;
	/** How long `backends` may take where that is more than one call over the network: programs run for it. */
	readonly answerLimitMs?: number;
	close(): Promise<void>;
}

export interface ToldBalancer {
	/** Sends this node nothing new, for as long as the lease lasts; what is connected goes on. */
	withdraw(node: string, leaseMs: number, signal?: AbortSignal): Promise<void>;
	/** Sends it connections again. Does nothing where it was not withdrawn. */
	admit(node: string, signal?: AbortSignal): Promise<void>;
}

export interface BackendStatus {
	readonly node: string;
	/** Gets new connections: up and not draining. Of several hosts, on one of them at least. */
	readonly admitting: boolean;
	readonly state: "up" | "drain" | "down";
	/** Open connections through the balancer. */
	readonly connections: number;
	/** Why it is not up; empty when it is. */
	readonly reason: string;
	/** Where it gets new connections from some hosts and not from others: which, and why. Absent where they agree. */
	readonly disagreement?: string;
}
