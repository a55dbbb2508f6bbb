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
	/** An application command of a session, numbered so that it is executed once (thesis, section 6.3). */
	sessionCommand: 4,
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

/** How to reach a member, and which one it is. The core carries these without reading them. */
export interface MemberAddress {
	readonly peer: string;
	readonly client: string;
	readonly admin: string;
	/** Of its data directory. Absent until it is known: the founders are not, when the first entry is written. */
	readonly incarnation?: string;
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

/** A configuration and the index of the entry that holds it. */
export interface PlacedConfiguration {
	readonly index: number;
	readonly configuration: Configuration;
}

/** What one member shall be. A change is a list of these, done as one: several voters may change at once. */
export type MemberChange =
	/** A new member, as a learner. */
	| {
			readonly type: "add";
			readonly id: NodeId;
			readonly address: MemberAddress;
	  }
	/** A learner that has caught up becomes a voter. */
	| { readonly type: "promote"; readonly id: NodeId }
	/** A voter becomes a learner. */
	| { readonly type: "demote"; readonly id: NodeId }
	| { readonly type: "remove"; readonly id: NodeId }
	/** Other addresses, or an incarnation that has become known; who votes stays as it is. */
	| {
			readonly type: "update";
			readonly id: NodeId;
			readonly address: MemberAddress;
	  };

export interface ConfigurationChange {
	readonly changes: readonly MemberChange[];
	/** The index of the configuration that the caller saw; null to change whatever is in force. */
	readonly expectedIndex: number | null;
	/** Checks that the caller takes upon itself, by name; none is ever implied by another. */
	readonly waived: readonly ("catch-up" | "quorum")[];
}

/** What a snapshot stands for: the state after the entry at `index`, and the configuration committed by then. */
export interface SnapshotPoint {
	readonly index: number;
	readonly term: number;
	readonly configuration: PlacedConfiguration;
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
	/** The leader's clock when it was sent, whole milliseconds rounded down: a lease counts from there (P43). */
	readonly stamp: number;
	/**
	 * Everything that the cluster had committed when the leader's clock showed `currentStamp`: a quorum has confirmed
	 * that it led then. 0 while it cannot say.
	 */
	readonly currentCommit: number;
	readonly currentStamp: number;
}

export interface HeartbeatResponse extends Envelope {
	readonly type: "heartbeat-response";
	readonly session: number;
	readonly read: number;
	/** Repeats the heartbeat's. */
	readonly stamp: number;
}

/**
 * The follower lacks entries that the leader's log no longer holds: it is to fetch the leader's snapshot, by a way of
 * its own. Repeated until an append-response shows that it is no longer needed; a second one does no harm.
 */
export interface SnapshotOffer extends Envelope {
	readonly type: "snapshot-offer";
	readonly session: number;
	readonly snapshotIndex: number;
	readonly snapshotTerm: number;
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
	| SnapshotOffer
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

/** Why a change was refused; nothing was appended. */
export type ChangeRefusalReason =
	| "not-leader"
	| "transferring"
	| "disk-stalled"
	/** Nothing of the leader's term is committed yet (P20). */
	| "term-not-committed"
	| "change-in-flight"
	/** Another configuration is in force than the one the caller saw. */
	| "configuration-changed"
	| "nothing-to-change"
	| "unknown-member"
	| "duplicate-member"
	| "not-a-learner"
	| "not-a-voter"
	/** A member keeps its data directory; with another one it is another member, to be removed and added (P31). */
	| "other-incarnation"
	/** The change would leave nobody to decide. */
	| "no-voters"
	/** The learner was not heard lately (P26). */
	| "target-unreachable"
	/** The learner has not caught up (P26). */
	| "target-lagging"
	/** Fewer voters would be connected than a majority of the new ones (P28). */
	| "quorum-at-risk";

export interface ChangeRefusal {
	readonly reason: ChangeRefusalReason;
	/** The member that it is about; null when it is about none. */
	readonly node: NodeId | null;
	/** How far a lagging learner is. */
	readonly catchUp: CatchUpStatus | null;
}

/**
 * The end of a change, each exactly once. `done`: the final configuration is committed, at `index`. `unknown`: this
 * node no longer leads; whoever does may have finished it or taken it back.
 */
export interface ChangeOutcome {
	readonly token: number;
	readonly outcome: "done" | "refused" | "unknown";
	/** Of the final configuration's entry; 0 unless done. */
	readonly index: number;
	readonly refusal: ChangeRefusal | null;
}

/** How far behind a member is, as its leader sees it. */
export interface CatchUpStatus {
	readonly lagEntries: number;
	/** Entries that it takes over each second, lately; 0 when none were. */
	readonly entriesPerSecond: number;
	/** Until it has caught up at this rate and that of new entries; null when it never will. */
	readonly remainingMs: number | null;
	/** It was heard lately, and what is new reaches it within an election timeout (thesis, section 4.2.1). */
	readonly caughtUp: boolean;
}

/** What only people can put right. */
export interface CoreAlarm {
	/** The follower's log no longer holds what it once acknowledged: it is not counted any more (P31). */
	readonly kind: "log-went-back";
	readonly node: NodeId;
	/** It had acknowledged everything up to here. */
	readonly acknowledged: number;
	/** It now has this much at most. */
	readonly found: number;
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
	/** First of all the log is emptied, and begins anew behind this index: a snapshot stands for what was before. */
	readonly reset: { readonly index: number; readonly term: number } | null;
	readonly entries: readonly Entry[];
	/** False when only the commit hint changed: it needs no fsync (P10). */
	readonly sync: boolean;
}

/**
 * What the driver must do now, in this order: hand `write` to the disk; send `messages`; send `messagesAfterSync` once
 * write number `afterSequence` is durable (at once if it is); `restore`; apply `committed`; settle the outcomes.
 */
export interface Ready {
	readonly write: Write | null;
	readonly messages: readonly Message[];
	readonly messagesAfterSync: readonly Message[];
	/** The newest write submitted so far, this one included. */
	readonly afterSequence: number;
	/**
	 * Replace the state machine's state by this snapshot, which was handed in with `install`; what was committed before
	 * and is not applied yet is dropped. Report with `applied(index)`. Nothing after it is applied before (P46).
	 */
	readonly restore: SnapshotPoint | null;
	/** To apply, in order and without a gap: [first, last], or null. Durable here already. */
	readonly committed: { readonly first: number; readonly last: number } | null;
	readonly proposals: readonly ProposalOutcome[];
	readonly reads: readonly ReadOutcome[];
	readonly transfers: readonly TransferOutcome[];
	readonly changes: readonly ChangeOutcome[];
	readonly fetches: readonly Fetch[];
	/** Fetch this snapshot from the leader, then call `install`. May be asked for again, or for a newer one. */
	readonly download: {
		readonly from: NodeId;
		readonly index: number;
		readonly term: number;
	} | null;
	readonly alarms: readonly CoreAlarm[];
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
	/** Of the entries that are still held; lastIndex + 1 when there are none. */
	readonly firstIndex: number;
	/** Of the newest snapshot that followers may be given; 0 for none. */
	readonly snapshotIndex: number;
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
	/** snapshot: it needs entries that the log no longer holds, and has been offered a snapshot. */
	readonly state: "probe" | "replicate" | "snapshot";
	readonly match: number;
	readonly next: number;
	readonly inflightMessages: number;
	readonly inflightBytes: number;
	/** Milliseconds since it was last heard, by the clock of the last tick. */
	readonly heardAgoMs: number;
	readonly catchUp: CatchUpStatus;
	/** False for one whose log went back: what it says is not believed (P31). */
	readonly counted: boolean;
}

export interface RaftOptions {
	readonly id: NodeId;
	/**
	 * A follower that hears nothing for a little longer campaigns, in turn with the others (patience.ts); where that fails,
	 * after random times in [1, 2) of these. Also the check-quorum period.
	 */
	readonly electionTimeoutMs: number;
	readonly heartbeatIntervalMs: number;
	/** Two clocks drift apart by at most this share; a lease is shorter by it (P43). In [0, 1). */
	readonly maxClockDrift: number;
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

/**
 * What a node finds on its disk at start. An empty log has no terms, and lastIndex 0, or the snapshot's index when there
 * is one. A log that does not hold the snapshot's entry, or has another in its place, must have been reset to the
 * snapshot before it gets here (P45).
 */
export interface Restored {
	readonly hardState: HardState;
	readonly lastIndex: number;
	/** Of the entries that the log still holds. */
	readonly terms: readonly TermRange[];
	/** Every configuration entry that the log still holds, rising by index. */
	readonly configurations: readonly PlacedConfiguration[];
	/** The newest snapshot on the disk. The log begins at most one behind its index. */
	readonly snapshot: SnapshotPoint | null;
	/** Entries after hardState.commit (or the snapshot, if that is later), contiguous up to lastIndex. */
	readonly tail: readonly Entry[];
	/** The index up to which the state machine already stands; at most hardState.commit, or the snapshot's. */
	readonly applied: number;
}
