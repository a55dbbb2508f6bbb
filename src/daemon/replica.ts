import type { ControlState } from "../machines/control.js";
import type { Status } from "../raft/types.js";

/**
 * A node's replicated state machine as the servers of this process see it. Any node takes any request: a follower
 * forwards commands to the leader and asks it for read indexes. Callbacks instead of promises keep the hot path lean;
 * each is called exactly once, never from within the call that handed it in.
 */
export interface Replica {
	propose(
		command: Uint8Array,
		options: ProposeOptions,
		done: (outcome: CommandOutcome) => void,
	): void;
	/** A command to the cluster's own state (the operation lock); its result is JSON. */
	control(
		command: Uint8Array,
		deadlineMs: number,
		done: (outcome: CommandOutcome) => void,
	): void;
	query(
		query: Uint8Array,
		options: QueryOptions,
		done: (outcome: QueryOutcome) => void,
	): void;
	/** Confirms the commit index with a quorum. */
	readIndex(deadlineMs: number, done: (index: number | null) => void): void;
	/** Null: done, this node no longer leads. A string: why not. */
	transferLeadership(
		target: string | null,
		done: (refusal: string | null) => void,
	): void;
	status(): ReplicaStatus;
	/** The cluster's own state as applied here; not to be changed. */
	controlState(): Readonly<ControlState>;
	/** Events of commands applied from `from` on. Null when they are no longer kept (see oldestEventIndex). */
	subscribe(
		from: number,
		subscriber: EventSubscriber,
	): EventSubscription | null;
	/** The commit index of the leader, as this node last heard it; what readiness compares `applied` with. */
	leaderCommit(): {
		readonly index: number;
		readonly heardAgoMs: number;
	} | null;
	/** Waits for what was accepted, then stops; the log is durable afterwards. */
	close(): Promise<void>;
}

export interface ProposeOptions {
	/** none: accepted by this node; commit: in the log for good; apply: executed, with its result. */
	readonly ack: "none" | "commit" | "apply";
	/** How long the caller waits, from the call on; so are all deadlines here. */
	readonly deadlineMs: number;
	/** Whose budget it counts against: the connection. */
	readonly client: string;
}

export type CommandOutcome =
	| { readonly kind: "accepted" }
	| { readonly kind: "committed"; readonly index: number }
	| {
			readonly kind: "applied";
			readonly index: number;
			readonly result: Uint8Array;
	  }
	/** Certainly not executed, and never will be. */
	| {
			readonly kind: "rejected";
			readonly reason: RejectReason;
			readonly message: string;
			readonly retryAfterMs: number;
	  }
	/** May or may not be executed, now or later. */
	| { readonly kind: "unknown"; readonly message: string };

export type RejectReason =
	| "overloaded"
	| "too-large"
	| "invalid"
	| "no-leader"
	| "stopping"
	| "lost"
	| "timeout";

export interface QueryOptions {
	readonly consistency: "linearizable" | "stale";
	/** Wait until this index is applied. */
	readonly minIndex: number;
	readonly deadlineMs: number;
}

export type QueryOutcome =
	| {
			readonly kind: "answer";
			readonly index: number;
			readonly answer: Uint8Array;
	  }
	| {
			readonly kind: "failed";
			readonly reason:
				| "overloaded"
				| "no-leader"
				| "timeout"
				| "invalid"
				| "stopping";
			readonly message: string;
	  };

export interface EventSubscriber {
	/** In order of index; `index` is the command's. */
	onEvent(index: number, event: Uint8Array): void;
	/** Everything up to `index` has been applied and told: a place to resume from. */
	onProgress(index: number): void;
}

export interface EventSubscription {
	close(): void;
}

export interface ReplicaStatus {
	readonly raft: Status;
	readonly applied: number;
	readonly oldestEventIndex: number;
	readonly inflight: number;
	/** Members with a live link to them and from them. */
	readonly connectedPeers: readonly string[];
	readonly leaderlessTotalMs: number;
	readonly leaderlessMaxMs: number;
	/** Set when the node has stopped applying or writing for good, and why. */
	readonly failure: string | null;
	readonly diskPendingMs: number;
}
