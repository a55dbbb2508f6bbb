import { bootstrapHardState } from "./bootstrap.js";
import { Rate } from "./catch-up.js";
import { Configurations, isVoter } from "./configurations.js";
import { RaftLog } from "./log.js";
import { patience } from "./patience.js";
import type { Progress } from "./progress.js";
import { Proposals } from "./proposals.js";
import { ForwardedReads, ReadRounds, startOfCount } from "./reads.js";
import type {
	ChangeOutcome,
	Configuration,
	CoreAlarm,
	Fetch,
	Message,
	NodeId,
	ProposalOutcome,
	RaftOptions,
	ReadOutcome,
	Ready,
	Restored,
	Role,
	SnapshotOffer,
	SnapshotPoint,
	TransferOutcome,
} from "./types.js";

/** A transfer of leadership under way, or, on the former leader, one whose end is not known yet. */
export interface Transfer {
	readonly target: NodeId;
	readonly token: number;
	readonly deadlineMs: number;
	/** TimeoutNow is out: the target holds everything. */
	asked: boolean;
}

/**
 * What one node's consensus consists of, shared by the handlers of each role (follower.ts, candidate.ts, leader.ts).
 * It holds state and the outboxes; the handlers decide.
 */
export class Core {
	readonly id: NodeId;
	readonly options: RaftOptions;
	readonly log: RaftLog;
	readonly configurations: Configurations;
	readonly proposals = new Proposals();
	readonly forwardedReads: ForwardedReads;

	role: Role = "follower";
	term: number;
	votedFor: NodeId | null;
	leader: NodeId | null = null;
	/** The clock of the last tick. */
	nowMs: number;
	/** This node's state machine has failed for good: it votes and stores, but must not lead. */
	renounced = false;
	/** The last tick came late: this node may have been away, and what it missed may be waiting to be read (P68). */
	late = false;
	electionDeadlineMs = 0;
	/** When the leader of this term was last heard. */
	leaderHeardMs = Number.NEGATIVE_INFINITY;
	/** The clock when the message in hand came in; a tick may be long ago. */
	stepMs: number;
	/** Until then this node, before its restart, may have been heard by a leader that counts on its silence (P43). */
	quietUntilMs: number;
	/** Members whose logs went back, as the cluster knows (P31): nothing they say counts. */
	distrusted: ReadonlySet<NodeId> = new Set();
	/** The newest snapshot on this node's disk. */
	snapshot: SnapshotPoint | null;

	/** Counts campaigns of both kinds; answers to an earlier one are ignored (P34). */
	attempt: number;
	readonly votes = new Map<NodeId, boolean>();

	/** Leader only: the other members. */
	readonly followers = new Map<NodeId, Progress>();
	rounds = new ReadRounds();
	sessions = 0;
	nextHeartbeatMs = 0;
	/** When this leader last excused the others' silence by having been away itself. */
	excusedMs = Number.NEGATIVE_INFINITY;
	/** Index of this leader's no-op; nothing is read before it is committed (P40). */
	termStart = 0;
	transfer: Transfer | null = null;
	/** Somebody was asked to campaign whatever the others have heard: in this term a lease proves nothing (P37). */
	leaseVoid = false;
	/** The change of membership under way that this leader began, and whom to tell. */
	change: { readonly token: number } | null = null;
	/** How fast this leader's log grows. */
	growth: Rate;
	replicationWanted = false;

	messages: Message[] = [];
	messagesAfterSync: Message[] = [];
	proposalOutcomes: ProposalOutcome[] = [];
	readOutcomes: ReadOutcome[] = [];
	transferOutcomes: TransferOutcome[] = [];
	changeOutcomes: ChangeOutcome[] = [];
	fetches: Fetch[] = [];
	download: Ready["download"] = null;
	/** The offer that `download` came from: who made it is told when a snapshot is installed. */
	offer: SnapshotOffer | null = null;
	restore: SnapshotPoint | null = null;
	alarms: CoreAlarm[] = [];
	changed = true;

	/** The log was replaced by a snapshot, which the disk does not know yet. */
	reset: { readonly index: number; readonly term: number } | null = null;
	/** Term or vote differ from what was last handed in for writing. */
	hardStateDirty = false;
	/** The commit hint that was last handed in. */
	commitWritten: number;
	sequence = 0;
	/** The newest write that holds a term or vote. */
	hardStateSequence = 0;
	durableSequence = 0;
	/** When each write under way was handed in, oldest first. */
	readonly writesUnderWay: {
		readonly sequence: number;
		readonly sinceMs: number;
	}[] = [];

	constructor(options: RaftOptions, restored: Restored, nowMs: number) {
		this.id = options.id;
		this.options = options;
		this.log = new RaftLog(restored, options.windowBytes);
		this.configurations = new Configurations(restored);
		this.snapshot = restored.snapshot;
		for (const entry of restored.tail) {
			if (entry.index > this.configurations.latestIndex)
				this.configurations.append(entry);
		}
		this.term = restored.hardState.term;
		this.votedFor = restored.hardState.votedFor;
		this.commitWritten = this.log.commit;
		this.nowMs = nowMs;
		this.stepMs = nowMs;
		this.growth = new Rate(this.log.lastIndex, nowMs);
		// A node that was founded and never heard anybody owes nobody silence.
		const isFresh = this.term <= bootstrapHardState.term;
		this.quietUntilMs = isFresh ? nowMs : nowMs + options.electionTimeoutMs;
		this.forwardedReads = new ForwardedReads(options.random);
		this.attempt = startOfCount(options.random);
		this.resetElectionTimer();
		if (this.isSoleVoter) this.electionDeadlineMs = nowMs;
	}

	/** With nobody to ask and nobody to wait for. */
	get isSoleVoter(): boolean {
		const { voters, outgoing } = this.configuration;
		return voters.length === 1 && outgoing.length === 0 && this.isVoter;
	}

	get configuration(): Configuration {
		return this.configurations.latest;
	}

	/** Whether term and vote are on disk: until then nothing may be said that follows from them (P1). */
	get hardStateDurable(): boolean {
		return (
			!this.hardStateDirty && this.durableSequence >= this.hardStateSequence
		);
	}

	get isVoter(): boolean {
		return isVoter(this.configuration, this.id);
	}

	/**
	 * Whether this node is a voter of the configuration in force; or, while that is not committed, of one before: it alone
	 * may hold the entry that ends its vote, and without it nobody could ever be elected (thesis, section 4.2.2).
	 */
	get isOrWasVoter(): boolean {
		return this.configurations
			.since(this.log.commit)
			.some(({ configuration }) => isVoter(configuration, this.id));
	}

	/** How long the oldest write has been under way, in milliseconds. */
	get diskPendingMs(): number {
		const oldest = this.writesUnderWay[0];
		return oldest === undefined ? 0 : this.nowMs - oldest.sinceMs;
	}

	/**
	 * Whether a leader was heard so recently that nobody may depose it (P35: stickiness). By time alone: the leader that
	 * was answered counts on it, whatever this node has heard of terms and candidates since (P43).
	 */
	get hearsLeader(): boolean {
		return (
			this.role === "leader" ||
			this.nowMs < this.quietUntilMs ||
			this.nowMs - this.leaderHeardMs < this.options.electionTimeoutMs
		);
	}

	/** Whether what this member says counts: its log still holds what it acknowledged (P31). */
	isCounted(id: NodeId): boolean {
		return (
			!this.distrusted.has(id) && this.followers.get(id)?.wentBack !== true
		);
	}

	/**
	 * Sends at once what promises nothing; holds back until everything so far is durable what does: votes, and acks of
	 * entries (P1, P2).
	 */
	send(message: Message): void {
		const promises =
			message.type === "vote-response" ||
			message.type === "append-response" ||
			(message.type === "vote-request" && !message.pre);
		if (promises || !this.hardStateDurable)
			this.messagesAfterSync.push(message);
		else this.messages.push(message);
	}

	/** The leader was heard just now. */
	hear(leader: NodeId): void {
		const share = patience(
			this.configuration,
			this.id,
			leader,
			this.options.random(),
		);
		this.leaderHeardMs = this.#newestMs;
		this.#campaignAfter(share);
	}

	resetElectionTimer(): void {
		this.#campaignAfter(1 + this.options.random());
	}

	#campaignAfter(timeouts: number): void {
		const { electionTimeoutMs } = this.options;
		this.electionDeadlineMs = this.#newestMs + electionTimeoutMs * timeouts;
	}

	/** A message may be newer than the last tick, and its sender counts from it (P43). */
	get #newestMs(): number {
		return Math.max(this.nowMs, this.stepMs);
	}

	setTerm(term: number, votedFor: NodeId | null): void {
		if (term < this.term)
			throw new Error(`invariant: term ${term} after ${this.term}`);
		this.term = term;
		this.votedFor = votedFor;
		this.hardStateDirty = true;
		this.changed = true;
	}
}
