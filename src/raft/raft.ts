import { campaign, countOwnVote, handleVoteResponse } from "./candidate.js";
import { Core } from "./core.js";
import {
	becomeFollower,
	forwardRead,
	handleAppendRequest,
	handleHeartbeat,
	handleReadResponse,
	handleSnapshotOffer,
	handleVoteRequest,
	install,
	refuseRead,
} from "./follower.js";
import {
	handleHeartbeatResponse,
	sendCommits,
	sendHeartbeats,
	startRound,
} from "./heartbeats.js";
import {
	excuseSilence,
	hearsQuorum,
	type ProposalBatch,
	propose,
} from "./leader.js";
import { confirmedMs, holdsLease } from "./lease.js";
import {
	catchUpOf,
	changeConfiguration,
	forgetLeavers,
	settleConfiguration,
} from "./membership.js";
import {
	canStartRound,
	handleReadRequest,
	readOnLeader,
} from "./read-index.js";
import {
	advanceCommit,
	fetched,
	fetchFailed,
	handleAppendResponse,
	replicate,
} from "./replication.js";
import { beginTransfer, yieldLeadership } from "./transfer.js";
import type {
	CatchUpStatus,
	ConfigurationChange,
	Entry,
	Fetch,
	Message,
	NodeId,
	PlacedConfiguration,
	RaftOptions,
	Ready,
	Refusal,
	Restored,
	SnapshotPoint,
	Status,
	VoteRequest,
	Write,
} from "./types.js";

/** How long an idle node may leave its commit hint behind on disk. */
const commitHintMs = 1000;

/**
 * One node's consensus (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", extended version,
 * and Ongaro's thesis): a state machine without I/O, clock or randomness of its own. Inputs change it; `ready` tells
 * what the driver must do. Pre-vote, check-quorum and stickiness are always on.
 */
export class Raft {
	readonly #core: Core;
	#hintDueMs: number;

	constructor(options: RaftOptions, restored: Restored, nowMs: number) {
		this.#core = new Core(options, restored, nowMs);
		this.#hintDueMs = nowMs + commitHintMs;
	}

	/**
	 * A message of a peer, which came in at `nowMs`. Messages that are late, twice or out of order do no harm.
	 */
	step(message: Message, nowMs: number): void {
		const core = this.#core;
		core.stepMs = nowMs;
		if (message.to !== core.id || message.from === core.id) return;
		if (message.type === "vote-request") this.#stepVoteRequest(message);
		else if (message.term < core.term) this.#stepOld(message);
		else {
			if (message.term > core.term) becomeFollower(core, message.term, null);
			this.#dispatch(message);
		}
	}

	#stepVoteRequest(message: VoteRequest): void {
		const core = this.#core;
		if (!message.pre) {
			// Nobody deposes a leader that is heard, unless the leader asked for it (P35). Nor in this node's own term: it may
			// have come to it by an answer, while the leader counts on its silence (P43).
			if (core.hearsLeader && !message.transfer) return;
			if (message.term > core.term) becomeFollower(core, message.term, null);
		}
		handleVoteRequest(core, message);
		this.#standIn(message);
	}

	/**
	 * Whoever asks a learner counts on its vote, but its log is behind: if the learner alone holds what came later, nobody
	 * else could ever be elected. So it campaigns itself, and once it led hands over to a voter (P27).
	 */
	#standIn({ pre, lastTerm, lastIndex }: VoteRequest): void {
		const core = this.#core;
		if (!pre || core.role !== "follower" || core.hearsLeader) return;
		if (core.log.isUpToDate(lastTerm, lastIndex)) return;
		if (!core.configuration.learners.includes(core.id)) return;
		if (this.#isFit() && core.diskPendingMs <= core.options.diskStallMs)
			campaign(core, "pre");
	}

	/** An older term. A leader of it must learn that it is over, or its followers stay without one. */
	#stepOld(message: Message): void {
		const core = this.#core;
		if (
			message.type === "append-request" ||
			message.type === "heartbeat" ||
			message.type === "snapshot-offer"
		) {
			core.send({
				type: "append-response",
				from: core.id,
				to: message.from,
				term: core.term,
				session: 0,
				success: false,
				match: 0,
				rejected: 0,
				hintIndex: 0,
				hintTerm: 0,
			});
		} else if (message.type === "read-request") {
			refuseRead(core, message.from, message.sequence);
		} else if (message.type === "vote-response" && message.pre) {
			// A pre-vote raises nobody's term, so a voter that is behind answers in its own; `attempt` says what it answers.
			handleVoteResponse(core, message);
		}
	}

	#dispatch(message: Message): void {
		const core = this.#core;
		switch (message.type) {
			case "append-request":
				handleAppendRequest(core, message);
				break;
			case "heartbeat":
				handleHeartbeat(core, message);
				break;
			case "snapshot-offer":
				handleSnapshotOffer(core, message);
				break;
			case "vote-response":
				handleVoteResponse(core, message);
				break;
			case "append-response":
				handleAppendResponse(core, message);
				break;
			case "heartbeat-response":
				handleHeartbeatResponse(core, message);
				break;
			case "read-request":
				handleReadRequest(core, message);
				break;
			case "read-response":
				handleReadResponse(core, message);
				break;
			case "timeout-now":
				this.#timeoutNow(message.from);
				break;
		}
	}

	/** Only a voter that follows the very leader that asks may campaign out of turn (P38). */
	#timeoutNow(from: NodeId): void {
		const core = this.#core;
		if (core.role !== "follower" || core.leader !== from) return;
		if (this.#mayLead()) campaign(core, "transfer");
	}

	#mayLead(): boolean {
		return this.#isFit() && this.#core.isOrWasVoter;
	}

	/** Its log is trusted and its state machine works, and has what its log begins with (P31, P39). */
	#isFit(): boolean {
		const { id, renounced, distrusted, log } = this.#core;
		if (renounced || distrusted.has(id)) return false;
		return log.applied >= log.firstIndex - 1;
	}

	/**
	 * The state machine here has failed for good. A node that cannot execute commands must not lead: it never campaigns
	 * again, not even when it is asked to, and if it leads it steps down for the most caught-up follower. It goes on
	 * voting and storing, which needs no state machine.
	 */
	renounceLeadership(): void {
		const core = this.#core;
		core.renounced = true;
		if (core.role === "leader") yieldLeadership(core);
		else if (core.role !== "follower") becomeFollower(core, core.term, null);
	}

	/**
	 * The members whose logs went back, as the cluster's own state has it: nothing they say counts, here or where another
	 * leads (P31). One of them does not lead.
	 */
	distrust(ids: ReadonlySet<NodeId>): void {
		const core = this.#core;
		core.distrusted = ids;
		if (core.role === "leader" && ids.has(core.id)) yieldLeadership(core);
	}

	/** Time goes on. A tick that comes late judges nobody until what waits to be read has been read (P68). */
	tick(nowMs: number): void {
		const core = this.#core;
		const elapsedMs = nowMs - core.nowMs;
		if (elapsedMs < 0) return;
		core.nowMs = nowMs;
		core.late = !core.late && elapsedMs > core.options.electionTimeoutMs / 2;
		core.proposals.expire(nowMs, core.proposalOutcomes);
		core.forwardedReads.expire(nowMs, core.readOutcomes);
		if (core.role === "leader") this.#tickLeader();
		else this.#tickElection();
		this.#expireTransfer();
	}

	#tickLeader(): void {
		const core = this.#core;
		core.rounds.expire(core.nowMs, (reader) => {
			if ("token" in reader)
				core.readOutcomes.push({ token: reader.token, index: null });
			else refuseRead(core, reader.from, reader.sequence);
		});
		if (core.late) excuseSilence(core);
		if (!hearsQuorum(core)) becomeFollower(core, core.term, null);
		else if (!core.late && core.diskPendingMs > core.options.diskStallMs)
			yieldLeadership(core);
		else if (core.nowMs >= core.nextHeartbeatMs) sendHeartbeats(core);
		else sendCommits(core);
		core.growth.move(core.log.lastIndex, core.nowMs);
		forgetLeavers(core);
	}

	#tickElection(): void {
		const core = this.#core;
		if (core.late) {
			core.electionDeadlineMs = Math.max(
				core.electionDeadlineMs,
				core.nowMs + core.options.heartbeatIntervalMs,
			);
		}
		if (core.nowMs < core.electionDeadlineMs) return;
		// A node that cannot store its vote would only disturb the others.
		const electable =
			this.#mayLead() && core.diskPendingMs <= core.options.diskStallMs;
		if (electable) campaign(core, "pre");
		else this.#forgetLeader();
	}

	/** A node that cannot campaign must still not believe for ever in a leader that it does not hear. */
	#forgetLeader(): void {
		const core = this.#core;
		becomeFollower(core, core.term, null);
		core.resetElectionTimer();
	}

	/** After its deadline a transfer is over: the old leader serves again, and whoever asked is told (P37). */
	#expireTransfer(): void {
		const core = this.#core;
		if (core.transfer === null || core.nowMs < core.transfer.deadlineMs) return;
		core.transferOutcomes.push({
			token: core.transfer.token,
			outcome: "timed-out",
			reason: null,
		});
		core.transfer = null;
		core.changed = true;
		if (core.role === "leader") settleConfiguration(core);
	}

	/** Appends commands. A refusal is definite; otherwise each token ends in Ready.proposals. */
	propose(batch: ProposalBatch): Refusal | null {
		return propose(this.#core, batch);
	}

	/** Asks for an index that covers every write answered before this call; ends in Ready.reads. */
	readIndex(token: number): void {
		if (this.#core.role === "leader") readOnLeader(this.#core, token);
		else forwardRead(this.#core, token);
	}

	/** Hands leadership over; ends in Ready.transfers. Null chooses the most caught-up voter. */
	transferLeadership(target: NodeId | null, token: number): void {
		beginTransfer(this.#core, target, token);
	}

	/** Changes who takes part; ends in Ready.changes. */
	changeConfiguration(change: ConfigurationChange, token: number): void {
		changeConfiguration(this.#core, change, token);
	}

	/** Whether reads may be answered here at `nowMs` without asking anybody; ask again just before the answer (P43). */
	holdsLease(nowMs: number): boolean {
		return holdsLease(this.#core, nowMs);
	}

	/** When this node certainly led, by the answers of a quorum and at most `nowMs`; -Infinity for never. */
	confirmedMs(nowMs: number): number {
		return confirmedMs(this.#core, nowMs);
	}

	/** What a snapshot taken at `index`, which is applied, has to say of the log. */
	pointAt(index: number): SnapshotPoint {
		const { log, configurations } = this.#core;
		const term = log.termAt(index);
		if (term === null || index > log.applied)
			throw new Error(`invariant: no snapshot can be taken at ${index}`);
		return { index, term, configuration: configurations.at(index) };
	}

	/** A snapshot is durable on this node: followers may be given it. */
	snapshotSaved(snapshot: SnapshotPoint): void {
		const core = this.#core;
		if (core.snapshot === null || snapshot.index > core.snapshot.index)
			core.snapshot = snapshot;
	}

	/**
	 * The snapshot that Ready.download asked for is durable on this node. False when it is of no use any more; else what
	 * follows is in Ready.
	 */
	install(snapshot: SnapshotPoint): boolean {
		return install(this.#core, snapshot);
	}

	/** Entries up to `index`, which are applied and for which a durable snapshot stands, are gone. */
	compact(index: number): void {
		const core = this.#core;
		if (index > (core.snapshot?.index ?? 0))
			throw new Error(`invariant: compaction to ${index} beyond the snapshot`);
		core.log.compact(index);
		core.configurations.compact(index);
	}

	/**
	 * The first entry that a follower which was heard lately still needs from this log (P47); Infinity when none needs
	 * any.
	 */
	neededFrom(): number {
		const core = this.#core;
		let needed = Number.POSITIVE_INFINITY;
		for (const progress of core.followers.values()) {
			if (progress.wentBack || progress.leavingUntilMs !== null) continue;
			if (core.nowMs - progress.heardMs >= core.options.electionTimeoutMs)
				continue;
			const has = Math.max(progress.match, progress.pendingSnapshot);
			needed = Math.min(needed, has + 1);
		}
		return needed;
	}

	get commit(): number {
		return this.#core.log.commit;
	}

	/**
	 * The configurations that may be in force somewhere: the committed one and those after it. Whoever is named in any of
	 * them must be reachable, or the leader's own removal could not be acknowledged to it (P25).
	 */
	openConfigurations(): readonly PlacedConfiguration[] {
		const { configurations, log } = this.#core;
		return configurations.since(log.commit);
	}

	/** The configuration in force, committed or not. */
	configuration(): PlacedConfiguration {
		const { latestIndex, latest } = this.#core.configurations;
		return { index: latestIndex, configuration: latest };
	}

	/** Writes up to number `sequence` are durable. */
	appended(sequence: number): void {
		const core = this.#core;
		if (sequence > core.sequence)
			throw new Error(`invariant: write ${sequence} was never handed in`);
		core.durableSequence = Math.max(core.durableSequence, sequence);
		while (
			core.writesUnderWay.length > 0 &&
			(core.writesUnderWay[0] as { sequence: number }).sequence <= sequence
		) {
			core.writesUnderWay.shift();
		}
		core.log.written(sequence);
		countOwnVote(core);
		if (core.role === "leader") advanceCommit(core);
	}

	/** The state machine stands at `index`. */
	applied(index: number): void {
		this.#core.log.appliedTo(index);
	}

	/** The entries that a Fetch asked for, from its first on; fewer than asked are fine. */
	fetched(fetch: Fetch, entries: readonly Entry[]): void {
		fetched(this.#core, fetch, entries);
	}

	fetchFailed(fetch: Fetch): void {
		fetchFailed(this.#core, fetch);
	}

	/** The link to `id` broke: what was under way to it may be lost. */
	unreachable(id: NodeId): void {
		const progress = this.#core.followers.get(id);
		if (progress?.state !== "replicate") return;
		progress.becomeProbe(progress.match + 1);
		progress.paused = true;
	}

	/** Entries [first, last] while they are all in memory; null: read them from the log on disk. */
	entries(first: number, last: number): readonly Entry[] | null {
		return this.#core.log.slice(first, last);
	}

	/** What the disk was given is not what the log is: entries were appended, or put in the place of others, since. */
	get hasUnwritten(): boolean {
		const { log, reset } = this.#core;
		return reset !== null || log.submitted < log.lastIndex;
	}

	hasReady(): boolean {
		const core = this.#core;
		return (
			core.changed ||
			core.hardStateDirty ||
			core.reset !== null ||
			core.replicationWanted ||
			core.messages.length > 0 ||
			core.messagesAfterSync.length > 0 ||
			core.log.submitted < core.log.lastIndex ||
			this.#committedEnd() > core.log.applying ||
			core.proposalOutcomes.length > 0 ||
			core.readOutcomes.length > 0 ||
			core.transferOutcomes.length > 0 ||
			core.changeOutcomes.length > 0 ||
			core.fetches.length > 0 ||
			core.download !== null ||
			core.restore !== null ||
			core.alarms.length > 0 ||
			canStartRound(core) ||
			this.#hintDue()
		);
	}

	/** What the driver must do now; calling it counts as having taken it over. */
	ready(): Ready {
		const core = this.#core;
		if (canStartRound(core)) startRound(core);
		if (core.role === "leader") replicate(core);
		core.log.neededFrom = this.neededFrom();
		const write = this.#takeWrite();
		const committed = this.#takeCommitted();
		const ready: Ready = {
			write,
			messages: core.messages,
			messagesAfterSync: core.messagesAfterSync,
			afterSequence: core.sequence,
			restore: core.restore,
			committed,
			proposals: core.proposalOutcomes,
			reads: core.readOutcomes,
			transfers: core.transferOutcomes,
			changes: core.changeOutcomes,
			fetches: core.fetches,
			download: core.download,
			alarms: core.alarms,
			changed: core.changed,
		};
		core.messages = [];
		core.messagesAfterSync = [];
		core.proposalOutcomes = [];
		core.readOutcomes = [];
		core.transferOutcomes = [];
		core.changeOutcomes = [];
		core.fetches = [];
		core.download = null;
		core.restore = null;
		core.alarms = [];
		core.changed = false;
		return ready;
	}

	/** Entries, term and vote as one unit; every write carries the commit index along as a hint (P4, P10). */
	#takeWrite(): Write | null {
		const core = this.#core;
		const hasEntries = core.log.submitted < core.log.lastIndex;
		const { reset } = core;
		const sync = hasEntries || core.hardStateDirty || reset !== null;
		if (!sync && !this.#hintDue()) return null;
		core.reset = null;
		const sequence = ++core.sequence;
		if (core.hardStateDirty) core.hardStateSequence = sequence;
		core.hardStateDirty = false;
		core.commitWritten = core.log.commit;
		core.writesUnderWay.push({ sequence, sinceMs: core.nowMs });
		this.#hintDueMs = core.nowMs + commitHintMs;
		const hardState = {
			term: core.term,
			votedFor: core.votedFor,
			commit: core.log.commit,
		};
		const entries = core.log.submit(sequence);
		return { sequence, hardState, reset, entries, sync };
	}

	#hintDue(): boolean {
		const core = this.#core;
		return (
			core.log.commit > core.commitWritten && core.nowMs >= this.#hintDueMs
		);
	}

	/** What is committed and durable here: nothing is applied that this node could lose again (P9). */
	#committedEnd(): number {
		return Math.min(this.#core.log.commit, this.#core.log.durable);
	}

	#takeCommitted(): { first: number; last: number } | null {
		const { log, proposals, proposalOutcomes } = this.#core;
		const last = this.#committedEnd();
		if (last <= log.applying) return null;
		const first = log.applying + 1;
		log.applying = last;
		const { latestIndex } = this.#core.configurations;
		if (latestIndex >= first && latestIndex <= last) this.#core.changed = true;
		proposals.settle(last, (index) => log.termAt(index), proposalOutcomes);
		return { first, last };
	}

	status(): Status {
		const core = this.#core;
		return {
			id: core.id,
			role: core.role,
			term: core.term,
			leader: core.leader,
			votedFor: core.votedFor,
			firstIndex: core.log.firstIndex,
			snapshotIndex: core.snapshot?.index ?? 0,
			lastIndex: core.log.lastIndex,
			lastTerm: core.log.lastTerm,
			durableIndex: core.log.durable,
			commit: core.log.commit,
			applied: core.log.applied,
			configuration: core.configuration,
			configurationIndex: core.configurations.latestIndex,
			transferTarget: core.transfer?.target ?? null,
			uncommittedBytes: core.log.uncommittedBytes,
			followers: [...core.followers.values()].map((progress) => ({
				id: progress.id,
				state: progress.state,
				match: progress.match,
				next: progress.next,
				inflightMessages: progress.inflight.messages,
				inflightBytes: progress.inflight.bytes,
				heardAgoMs: core.nowMs - progress.heardMs,
				catchUp: catchUpOf(core, progress.id) as CatchUpStatus,
				counted: core.isCounted(progress.id),
			})),
		};
	}
}
