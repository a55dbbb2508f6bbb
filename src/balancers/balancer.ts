/** What stands in front of the nodes, as an operation sees it. */
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
	/** The longest time from a node's word (drain, ready) to the balancer's acting on it. */
	readonly reactionMs: number;
	close(): Promise<void>;
}

export interface BackendStatus {
	readonly node: string;
	/** Gets new connections: up and not draining. */
	readonly admitting: boolean;
	readonly state: "up" | "drain" | "down";
	/** Open connections through the balancer. */
	readonly connections: number;
	/** Why it is not up; empty when it is. */
	readonly reason: string;
}
