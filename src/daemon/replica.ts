import type { ControlState } from "../machines/control.js";
import type {
	ChangeRefusal,
	ConfigurationChange,
	Status,
} from "../raft/types.js";

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
	/**
	 * What `propose` would answer to any command now for want of room; null where there may be some. Whoever asks first
	 * spends next to nothing on what is sent away, so that under overload there is time for what is not.
	 */
	overload(): Extract<CommandOutcome, { kind: "rejected" }> | null;
	/** Opens a session for exactly-once commands; its id is the index at which it was opened. */
	openSession(
		options: {
			readonly deadlineMs: number;
			/** Whose commands count together. */
			readonly client: string;
		},
		done: (outcome: SessionOutcome) => void,
	): void;
	/** Changes who takes part. Done here only while this node leads. */
	changeConfiguration(
		change: ConfigurationChange,
		done: (outcome: ConfigurationOutcome) => void,
	): void;
	/**
	 * Lets the cluster write entries of `level`. Done only where this node leads, and every member is connected and says
	 * that it reads that level (P61). Null: done. A string: why not.
	 */
	setWriteLevel(level: number, done: (refusal: string | null) => void): void;
	/** Takes a snapshot now; resolves to its index, which may be that of one that was there already. */
	takeSnapshot(done: (outcome: SnapshotOutcome) => void): void;
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
	/** The cluster's time, in milliseconds since the Unix epoch: what its locks and sessions end by. */
	clusterMs(): number;
	/** The same without this node's own clock, which may be wrong: what the log says, and what has passed since. */
	toldMs(): number;
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

export type SessionOutcome =
	/** Without a command of its own for `ttlMs`, the session expires. */
	| { readonly kind: "opened"; readonly id: number; readonly ttlMs: number }
	| Extract<CommandOutcome, { kind: "rejected" | "unknown" }>;

export type ConfigurationOutcome =
	| { readonly kind: "done"; readonly index: number }
	| { readonly kind: "refused"; readonly refusal: ChangeRefusal }
	/** It may or may not come about: ask for the status. */
	| { readonly kind: "unknown"; readonly message: string };

export type SnapshotOutcome =
	| { readonly kind: "taken"; readonly index: number }
	| { readonly kind: "failed"; readonly message: string };

/** The command's place in its session. */
export interface SessionStamp {
	readonly id: number;
	/** Rises by one with every command of the session, from 1 on; a second attempt repeats it. */
	readonly sequence: number;
	/** The client has the results of all commands up to here: they may be forgotten. Below `sequence`. */
	readonly acknowledged: number;
}

export interface ProposeOptions {
	/** none: accepted by this node; commit: in the log for good; apply: executed, with its result. */
	readonly ack: "none" | "commit" | "apply";
	/** How long the caller waits, from the call on; so are all deadlines here. */
	readonly deadlineMs: number;
	/** Whose budget it counts against: the connection. */
	readonly client: string;
	/** Makes a second attempt harmless: the command is executed once, and each attempt gets the first one's result. */
	readonly session?: SessionStamp;
	/** The level of the entry format that the command's bytes are written in. Default: the cluster's write level. */
	readonly level?: number;
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
	| "timeout"
	/** The session is unknown or has expired: this attempt is not executed; whether an earlier one was is not known. */
	| "session-expired"
	/** The sequence number was acknowledged before, or the session keeps too many results for it to be taken. */
	| "session-misused"
	/** Above the cluster's write level, or this release cannot write it. */
	| "level"
	/** The clock of the node that took it is far ahead of the leader's: another node may take it. */
	| "clock";

export interface QueryOptions {
	/** lease: from the leader's memory while its lease holds, else as linearizable. */
	readonly consistency: "linearizable" | "lease" | "stale";
	/** Wait until this index is applied. */
	readonly minIndex: number;
	readonly deadlineMs: number;
}

export type QueryOutcome =
	| {
			readonly kind: "answer";
			readonly index: number;
			readonly answer: Uint8Array;
			/** Of a stale answer: for how long this node has not known that it is current; 0 for every other. */
			readonly ageMs: number;
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
	/** The subscription has ended, as events were missed: a snapshot took their place. They are kept from here on. */
	onGap?(oldestIndex: number): void;
}

export interface EventSubscription {
	close(): void;
}

/** What keeps this node and another apart, beyond a network that does not carry. */
export type LinkTrouble =
	/** The other one does not let this one in. `cause` as on the wire, `sentence` for a person. */
	| {
			readonly kind: "refused";
			readonly peer: string;
			readonly cause: string;
			readonly sentence: string;
	  }
	/** It dials this node, and nothing here says where it is. */
	| { readonly kind: "unknown-address"; readonly peer: string };

export interface ReplicaStatus {
	readonly raft: Status;
	readonly applied: number;
	/** Of the files of the log. */
	readonly logBytes: number;
	readonly oldestEventIndex: number;
	readonly inflight: number;
	/** Members with a live link to them and from them. */
	readonly connectedPeers: readonly string[];
	readonly linkTroubles: readonly LinkTrouble[];
	readonly leaderlessTotalMs: number;
	readonly leaderlessMaxMs: number;
	/** Set when the node has stopped applying or writing for good, and why. */
	readonly failure: string | null;
	readonly diskPendingMs: number;
}
