import type { Core } from "./core.js";
import { abandonChange } from "./membership.js";
import type {
	AppendRequest,
	Entry,
	Heartbeat,
	NodeId,
	ReadResponse,
	SnapshotOffer,
	SnapshotPoint,
	VoteRequest,
} from "./types.js";

/** Follows in `term`, which is this node's or a later one; `leader` is null when it is not known yet. */
export function becomeFollower(
	core: Core,
	term: number,
	leader: NodeId | null,
): void {
	const wasLeading = core.role === "leader";
	const wasFollowing = core.role === "follower";
	const sameLeader =
		wasFollowing && core.leader === leader && term === core.term;
	if (term > core.term) core.setTerm(term, null);
	if (sameLeader) return;
	core.role = "follower";
	core.leader = leader;
	core.changed = true;
	core.votes.clear();
	core.forwardedReads.failAll(core.readOutcomes);
	if (wasLeading) stopLeading(core);
	if (!wasFollowing) core.resetElectionTimer();
	settleTransfer(core);
}

/** A former leader answers nobody's read any more (P42); its proposals stay open until a commit tells their fate. */
function stopLeading(core: Core): void {
	core.rounds.failAll((reader) => {
		if ("token" in reader)
			core.readOutcomes.push({ token: reader.token, index: null });
		else refuseRead(core, reader.from, reader.sequence);
	});
	core.followers.clear();
	core.fetches = [];
	core.replicationWanted = false;
	abandonChange(core);
}

/** A transfer that this node began ends when it learns who leads now. */
function settleTransfer(core: Core): void {
	if (core.transfer === null || core.leader === null) return;
	const { token, target } = core.transfer;
	core.transferOutcomes.push({
		token,
		outcome: core.leader === target ? "done" : "aborted",
		reason: null,
	});
	core.transfer = null;
}

export function refuseRead(core: Core, to: NodeId, sequence: number): void {
	core.send({
		type: "read-response",
		from: core.id,
		to,
		term: core.term,
		sequence,
		index: null,
	});
}

/** The leader of this term was heard. */
function heardLeader(core: Core, leader: NodeId): void {
	becomeFollower(core, core.term, leader);
	core.hear(leader);
}

export function handleAppendRequest(core: Core, message: AppendRequest): void {
	heardLeader(core, message.from);
	const { log } = core;
	const { prevIndex, prevTerm, entries } = message;
	// An old message. What is committed is the leader's too, and answering with it moves the leader on.
	if (prevIndex < log.commit && prevIndex + entries.length <= log.commit) {
		respond(core, message, Math.min(log.commit, log.durable));
		return;
	}
	const prevTermHere = log.termAt(prevIndex);
	// What is committed is the leader's too, also where this log has forgotten its term.
	const forgotten = prevTermHere === null && prevIndex <= log.commit;
	if (prevTermHere !== prevTerm && !forgotten) {
		// What is committed here is the leader's too, however little of it the log still remembers.
		const hintIndex = Math.max(
			log.lastIndexWithTermAtMost(Math.min(prevIndex, log.lastIndex), prevTerm),
			log.commit,
		);
		core.send({
			type: "append-response",
			from: core.id,
			to: message.from,
			term: core.term,
			session: message.session,
			success: false,
			match: 0,
			rejected: prevIndex,
			hintIndex,
			hintTerm: log.termAt(hintIndex) ?? 0,
		});
		return;
	}
	appendNew(core, entries);
	const matched = prevIndex + entries.length;
	// Only what this message has checked may be committed by it (P8).
	log.commitTo(Math.max(log.commit, Math.min(message.commit, matched)));
	respond(core, message, matched);
}

function respond(
	core: Core,
	{ from, session }: AppendRequest | SnapshotOffer,
	match: number,
): void {
	core.send({
		type: "append-response",
		from: core.id,
		to: from,
		term: core.term,
		session,
		success: true,
		match,
		rejected: 0,
		hintIndex: 0,
		hintTerm: 0,
	});
}

/** Cuts the log only where an entry contradicts it: a late message must not take away what came after it (P51). */
function appendNew(core: Core, entries: readonly Entry[]): void {
	const { log, configurations } = core;
	for (const entry of entries) {
		if (entry.index <= log.commit) continue;
		if (entry.index <= log.lastIndex) {
			if (log.termAt(entry.index) === entry.term) continue;
			log.truncate(entry.index);
			if (configurations.truncate(entry.index)) core.changed = true;
		}
		log.append(entry);
		if (configurations.append(entry)) core.changed = true;
	}
}

export function handleHeartbeat(core: Core, message: Heartbeat): void {
	heardLeader(core, message.from);
	// The leader sends at most what it knows to match here, so this entry is the leader's (P8).
	core.log.commitTo(
		Math.max(core.log.commit, Math.min(message.commit, core.log.lastIndex)),
	);
	core.send({
		type: "heartbeat-response",
		from: core.id,
		to: message.from,
		term: core.term,
		session: message.session,
		read: message.read,
		stamp: message.stamp,
	});
}

/** The leader no longer has what this node needs next; unless it has come by it another way (P48). */
export function handleSnapshotOffer(core: Core, message: SnapshotOffer): void {
	heardLeader(core, message.from);
	const { snapshotIndex: index, snapshotTerm: term } = message;
	if (index <= core.log.commit) respond(core, message, core.log.commit);
	else {
		core.download = { from: message.from, index, term };
		core.offer = message;
	}
}

/**
 * The leader goes on from what was installed. Without being told it would offer its newest snapshot, and where that is
 * always a later one, the follower would fetch for ever (P48).
 */
function tellInstalled(core: Core): void {
	const { offer } = core;
	core.offer = null;
	if (offer !== null && offer.term === core.term && core.leader === offer.from)
		respond(core, offer, core.log.commit);
}

/**
 * A snapshot has come, and is durable. What is committed only goes forward: an older one is dropped. A log that holds
 * its last entry holds all before it, and keeps what follows; any other is replaced (P45).
 */
export function install(core: Core, snapshot: SnapshotPoint): boolean {
	const { log } = core;
	const { index, term } = snapshot;
	if (core.role === "leader" || index <= log.commit) return false;
	if (core.snapshot === null || index > core.snapshot.index)
		core.snapshot = snapshot;
	if (log.termAt(index) === term) {
		log.commitTo(index);
		tellInstalled(core);
		return true;
	}
	log.reset(index, term);
	core.proposals.settle(index, () => null, core.proposalOutcomes);
	core.configurations.reset(snapshot.configuration);
	core.reset = { index, term };
	core.restore = snapshot;
	core.changed = true;
	tellInstalled(core);
	return true;
}

/**
 * Answers a vote of either kind. A pre-vote changes nothing here: no term, no vote, no timer (P34). A node that takes
 * itself for a learner still votes: it may have been promoted without knowing (P27).
 */
export function handleVoteRequest(core: Core, message: VoteRequest): void {
	const upToDate = core.log.isUpToDate(message.lastTerm, message.lastIndex);
	const free =
		core.votedFor === message.from ||
		(core.votedFor === null && core.leader === null);
	// One whose log went back may look up to date to those who lack what it has lost (P31).
	const eligible = upToDate && !core.distrusted.has(message.from);
	const granted = message.pre
		? message.term >= core.term && eligible && !core.hearsLeader
		: message.term === core.term && eligible && free;
	if (granted && !message.pre) {
		if (core.votedFor === null) core.setTerm(core.term, message.from);
		core.resetElectionTimer();
	}
	core.send({
		type: "vote-response",
		from: core.id,
		to: message.from,
		term: core.term,
		pre: message.pre,
		attempt: message.attempt,
		granted,
	});
}

/** Asks the leader for a read index on behalf of this node's driver. */
export function forwardRead(core: Core, token: number): void {
	if (core.leader === null || core.leader === core.id) {
		core.readOutcomes.push({ token, index: null });
		return;
	}
	const sequence = core.forwardedReads.add(
		token,
		core.nowMs + core.options.outcomeTimeoutMs,
	);
	core.send({
		type: "read-request",
		from: core.id,
		to: core.leader,
		term: core.term,
		sequence,
	});
}

export function handleReadResponse(core: Core, message: ReadResponse): void {
	if (message.from !== core.leader) return;
	core.forwardedReads.settle(
		message.sequence,
		message.index,
		core.readOutcomes,
	);
}
