/**
 * The words of the consensus core: entries, messages, and what goes in and out of it.
 *
 * Indexes and terms are integers in [0, 2^53): a decoder refuses anything else before it gets here. Index 0 with
 * term 0 is the empty log. Times are monotonic milliseconds, handed in by the driver.
 */

/** A member's name in the cluster; never an address, never reused for another data directory. */
export type NodeId = string;

export const EntryKind = {
	/** Opens a leader's term, so that earlier terms can be committed (paper, section 8). */
	noop: 0,
	/** An application command; opaque bytes to everything but the machine. */
	command: 1,
	/** A configuration of the cluster; in force as soon as it is appended (paper, section 6). */
	configuration: 2,
	/** A command to the cluster's own state: the operation lock, and what comes to lie beside it. */
	control: 3,
} as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

export interface Entry {
	readonly index: number;
	readonly term: number;
	readonly kind: EntryKind;
	/** The entry format's version; no node may meet a level that it cannot read. */
	readonly level: number;
	readonly data: Uint8Array;
}

/** What must be durable before anything that depends on it is said. `commit` is a hint: it may lag. */
export interface HardState {
	readonly term: number;
	readonly votedFor: NodeId | null;
	readonly commit: number;
}

/** A run of entries with one term: `first` is the run's first index. A log is a list of these, rising. */
export interface TermRange {
	readonly term: number;
	readonly first: number;
}

/** How to reach a member. The core carries these without reading them. */
interface MemberAddress {
	readonly peer: string;
	readonly client: string;
	readonly admin: string;
}

/**
 * Who takes part. While `outgoing` is not empty the configuration is joint: a decision needs a majority of `voters`
 * and one of `outgoing` (paper, section 6).
 */
export interface Configuration {
	readonly voters: readonly NodeId[];
	readonly outgoing: readonly NodeId[];
	readonly learners: readonly NodeId[];
	readonly addresses: Readonly<Record<NodeId, MemberAddress>>;
}

interface Envelope {
	readonly from: NodeId;
	readonly to: NodeId;
	readonly term: number;
}

/** `pre` asks without raising anyone's term; `transfer` lifts stickiness, as the leader itself asked for it. */
export interface VoteRequest extends Envelope {
	readonly type: "vote-request";
	readonly pre: boolean;
	readonly transfer: boolean;
	/** The candidate's campaign number; an answer counts only for the campaign that asked. */
	readonly attempt: number;
	readonly lastIndex: number;
	readonly lastTerm: number;
}

export interface VoteResponse extends Envelope {
	readonly type: "vote-response";
	readonly pre: boolean;
	readonly attempt: number;
	readonly granted: boolean;
}

export interface AppendRequest extends Envelope {
	readonly type: "append-request";
	/** The leader's replication session with this follower; answers of an earlier one are ignored. */
	readonly session: number;
	readonly prevIndex: number;
	readonly prevTerm: number;
	/** Contiguous from prevIndex + 1. The same array goes to every follower that needs the same range. */
	readonly entries: readonly Entry[];
	readonly commit: number;
}

/**
 * `match` is durable on the sender. On a reject it is 0, `rejected` repeats prevIndex, and the hint is the sender's
 * best guess of a common point: the largest index whose term is at most the leader's prevTerm.
 */
export interface AppendResponse extends Envelope {
	readonly type: "append-response";
	readonly session: number;
	readonly success: boolean;
	readonly match: number;
	readonly rejected: number;
	readonly hintIndex: number;
	readonly hintTerm: number;
}

/** `read` is the newest read round; only an answer that repeats it or a later one confirms that round. */
export interface Heartbeat extends Envelope {
	readonly type: "heartbeat";
	readonly session: number;
	/** Never above what the follower has matched. */
	readonly commit: number;
	readonly read: number;
}

export interface HeartbeatResponse extends Envelope {
	readonly type: "heartbeat-response";
	readonly session: number;
	readonly read: number;
}

/** The leader asks its successor to campaign at once. */
export interface TimeoutNow extends Envelope {
	readonly type: "timeout-now";
}

/** A follower asks its leader for a read index; `sequence` is the follower's own counter. */
export interface ReadRequest extends Envelope {
	readonly type: "read-request";
	readonly sequence: number;
}

/** `index` is null when the asked node cannot serve: it no longer leads. */
export interface ReadResponse extends Envelope {
	readonly type: "read-response";
	readonly sequence: number;
	readonly index: number | null;
}

export type Message =
	| VoteRequest
	| VoteResponse
	| AppendRequest
	| AppendResponse
	| Heartbeat
	| HeartbeatResponse
	| TimeoutNow
	| ReadRequest
	| ReadResponse;

export type Role = "follower" | "pre-candidate" | "candidate" | "leader";

/** Why something was refused at once; nothing was appended. */
export type Refusal =
	| "not-leader"
	| "transferring"
	| "too-many-uncommitted"
	| "disk-stalled"
	| "not-a-voter"
	| "target-lagging"
	| "target-unreachable"
	| "already-leader"
	| "no-leader";

/**
 * The end of a proposal, each exactly once. `committed`: at `index`, for good. `lost`: another entry was committed in
 * its place, so it will never be. `unknown`: this node cannot tell any more; it may or may not be committed.
 */
export interface ProposalOutcome {
	readonly token: number;
	/** How many proposals, with tokens rising by one from `token`, and indexes from `index`. */
	readonly count: number;
	readonly outcome: "committed" | "lost" | "unknown";
	readonly index: number;
}

/** The end of a read. With `index`: answer once that index is applied. With null: not confirmed, ask again. */
export interface ReadOutcome {
	readonly token: number;
	readonly index: number | null;
}

export interface TransferOutcome {
	readonly token: number;
	readonly outcome: "done" | "refused" | "timed-out" | "aborted";
	readonly reason: Refusal | null;
}

/** Entries the core needs in memory to send to `to`; answer with `fetched` (or `fetchFailed`). */
export interface Fetch {
	readonly to: NodeId;
	readonly session: number;
	readonly first: number;
	readonly last: number;
}

/** What is durable as one unit. The log is cut before `entries[0].index`, then `entries` are appended. */
export interface Write {
	/** Rises by one with every write; report with `appended(sequence)`, in order. */
	readonly sequence: number;
	readonly hardState: HardState | null;
	readonly entries: readonly Entry[];
	/** False when only the commit hint changed: it needs no fsync (P10). */
	readonly sync: boolean;
}

/**
 * What the driver must do now, in this order: hand `write` to the disk; send `messages`; send `messagesAfterSync` once
 * write number `afterSequence` is durable (at once if it is); apply `committed`; settle the outcomes.
 */
export interface Ready {
	readonly write: Write | null;
	readonly messages: readonly Message[];
	readonly messagesAfterSync: readonly Message[];
	/** The newest write submitted so far, this one included. */
	readonly afterSequence: number;
	/** To apply, in order and without a gap: [first, last], or null. Durable here already. */
	readonly committed: { readonly first: number; readonly last: number } | null;
	readonly proposals: readonly ProposalOutcome[];
	readonly reads: readonly ReadOutcome[];
	readonly transfers: readonly TransferOutcome[];
	readonly fetches: readonly Fetch[];
	/** Set when role, term, leader or configuration changed since the last Ready. */
	readonly changed: boolean;
}

/** What outsiders may know of the core at this moment. */
export interface Status {
	readonly id: NodeId;
	readonly role: Role;
	readonly term: number;
	readonly leader: NodeId | null;
	readonly votedFor: NodeId | null;
	readonly firstIndex: number;
	readonly lastIndex: number;
	readonly lastTerm: number;
	readonly durableIndex: number;
	readonly commit: number;
	readonly applied: number;
	readonly configuration: Configuration;
	/** The index of the entry that holds `configuration`. */
	readonly configurationIndex: number;
	readonly transferTarget: NodeId | null;
	readonly uncommittedBytes: number;
	/** On the leader: the others, as it sees them. Empty elsewhere. */
	readonly followers: readonly FollowerStatus[];
}

export interface FollowerStatus {
	readonly id: NodeId;
	readonly state: "probe" | "replicate";
	readonly match: number;
	readonly next: number;
	readonly inflightMessages: number;
	readonly inflightBytes: number;
	/** Milliseconds since it was last heard, by the clock of the last tick. */
	readonly heardAgoMs: number;
}

export interface RaftOptions {
	readonly id: NodeId;
	/** A follower that hears nothing for a random time in [1, 2) of these campaigns; also the check-quorum period. */
	readonly electionTimeoutMs: number;
	readonly heartbeatIntervalMs: number;
	/** How long a transfer of leadership may take before the old leader serves again. */
	readonly transferTimeoutMs: number;
	/** A leader whose write has been under way for longer gives up leadership (P36). */
	readonly diskStallMs: number;
	/** After these a proposal whose fate is open ends as unknown, and a read as not confirmed. */
	readonly outcomeTimeoutMs: number;
	readonly maxMessageBytes: number;
	readonly maxInflightMessages: number;
	readonly maxInflightBytes: number;
	readonly maxUncommittedBytes: number;
	/** Entries kept in memory beyond those that are still needed. */
	readonly windowBytes: number;
	/** Uniform in [0, 1). The core's only randomness. */
	readonly random: () => number;
}

/** What a node finds on its disk at start. An empty log has lastIndex 0 and no terms. */
export interface Restored {
	readonly hardState: HardState;
	readonly lastIndex: number;
	readonly terms: readonly TermRange[];
	/** Every configuration entry in the log, rising by index. */
	readonly configurations: readonly {
		readonly index: number;
		readonly configuration: Configuration;
	}[];
	/** Entries after hardState.commit, contiguous up to lastIndex. */
	readonly tail: readonly Entry[];
	/** The index up to which the state machine already stands; at most hardState.commit. */
	readonly applied: number;
}
