import { foundingLevel } from "./bootstrap.js";
import { blockBytes, entryHeaderBytes } from "./codec.js";
import { isVoter, membersOf } from "./configurations.js";
import type { Core } from "./core.js";
import { becomeFollower, refuseRead } from "./follower.js";
import { Progress } from "./progress.js";
import { isQuorum, quorumIndex } from "./quorum.js";
import type { Reader } from "./reads.js";
import { ReadRounds } from "./reads.js";
import {
	type AppendResponse,
	type Entry,
	EntryKind,
	type Fetch,
	type HeartbeatResponse,
	type NodeId,
	type ReadRequest,
	type Refusal,
} from "./types.js";

/** How far behind a transfer's target may be: it must catch up while no writes are taken (P37). */
const maxTransferLagEntries = 4096;

export interface ProposalBatch {
	readonly kind: EntryKind;
	readonly level: number;
	readonly commands: readonly Uint8Array[];
	/** The first command's token; the others' follow by one. */
	readonly firstToken: number;
}

export function becomeLeader(core: Core): void {
	core.role = "leader";
	core.leader = core.id;
	core.changed = true;
	core.votes.clear();
	core.rounds = new ReadRounds();
	// One that this node began in an earlier term, and whose end it never learnt.
	if (core.transfer !== null) {
		core.transferOutcomes.push({
			token: core.transfer.token,
			outcome: "aborted",
			reason: null,
		});
		core.transfer = null;
	}
	core.followers.clear();
	for (const id of membersOf(core.configuration)) {
		if (id !== core.id) core.followers.set(id, makeProgress(core, id));
	}
	core.nextHeartbeatMs = core.nowMs + core.options.heartbeatIntervalMs;
	core.excusedMs = Number.NEGATIVE_INFINITY;
	core.termStart = core.log.lastIndex + 1;
	appendEntry(core, EntryKind.noop, foundingLevel, new Uint8Array(0));
}

function makeProgress(core: Core, id: NodeId): Progress {
	const { maxInflightMessages, maxInflightBytes } = core.options;
	return new Progress({
		id,
		session: ++core.sessions,
		next: core.log.lastIndex + 1,
		nowMs: core.nowMs,
		maxInflightMessages,
		maxInflightBytes,
	});
}

function appendEntry(
	core: Core,
	kind: EntryKind,
	level: number,
	data: Uint8Array,
): void {
	const entry = {
		index: core.log.lastIndex + 1,
		term: core.term,
		kind,
		level,
		data,
	};
	core.log.append(entry);
	if (core.configurations.append(entry)) core.changed = true;
	core.replicationWanted = true;
}

/** Appends commands; null when they are in the log of this leader. A refusal is definite: nothing was appended. */
export function propose(core: Core, batch: ProposalBatch): Refusal | null {
	if (core.role !== "leader") return "not-leader";
	if (core.transfer !== null) return "transferring";
	if (core.diskPendingMs > core.options.diskStallMs) return "disk-stalled";
	let bytes = 0;
	for (const command of batch.commands)
		bytes += entryHeaderBytes + command.length;
	const { uncommittedBytes } = core.log;
	if (
		uncommittedBytes > 0 &&
		uncommittedBytes + bytes > core.options.maxUncommittedBytes
	)
		return "too-many-uncommitted";
	core.proposals.add({
		token: batch.firstToken,
		count: batch.commands.length,
		index: core.log.lastIndex + 1,
		term: core.term,
		deadlineMs: core.nowMs + core.options.outcomeTimeoutMs,
	});
	for (const command of batch.commands)
		appendEntry(core, batch.kind, batch.level, command);
	return null;
}

/** Sends what each follower lacks. Called once for each Ready, so that all of a turn's entries share a message. */
export function replicate(core: Core): void {
	core.replicationWanted = false;
	for (const progress of core.followers.values()) {
		while (
			progress.canSend &&
			(progress.next <= core.log.lastIndex || progress.state === "probe")
		) {
			if (
				progress.next < core.log.windowFirst &&
				progress.next <= core.log.lastIndex
			)
				fetch(core, progress);
			else sendWindow(core, progress);
		}
	}
}

/** Entries before the window come from the disk; the driver reads them and calls `fetched`. */
function fetch(core: Core, progress: Progress): void {
	const { maxMessageBytes } = core.options;
	progress.fetching = true;
	// An entry's header bounds how many can fit; the driver stops at the byte limit.
	const most = Math.ceil(maxMessageBytes / entryHeaderBytes);
	const last = Math.min(core.log.windowFirst - 1, progress.next + most - 1);
	core.fetches.push({
		to: progress.id,
		session: progress.session,
		first: progress.next,
		last,
	});
}

function sendWindow(core: Core, progress: Progress): void {
	const { log, options } = core;
	const last =
		progress.next > log.lastIndex
			? log.lastIndex
			: log.endWithin(progress.next, options.maxMessageBytes);
	sendAppend(
		core,
		progress,
		log.slice(progress.next, last) as readonly Entry[],
	);
}

function sendAppend(
	core: Core,
	progress: Progress,
	entries: readonly Entry[],
): void {
	const prevIndex = progress.next - 1;
	progress.commitSent = core.log.commit;
	core.send({
		type: "append-request",
		from: core.id,
		to: progress.id,
		term: core.term,
		session: progress.session,
		prevIndex,
		prevTerm: core.log.termAt(prevIndex) as number,
		entries,
		commit: core.log.commit,
	});
	if (progress.state === "probe") {
		progress.paused = true;
	} else if (entries.length > 0) {
		progress.next = prevIndex + entries.length + 1;
		progress.inflight.add(progress.next - 1, blockBytes(entries));
	}
}

/** The driver's answer to a Fetch. Anything that does not fit the log exactly is dropped and asked for again (P55). */
export function fetched(
	core: Core,
	request: Fetch,
	entries: readonly Entry[],
): void {
	const progress = core.followers.get(request.to);
	if (
		progress === undefined ||
		progress.session !== request.session ||
		!progress.fetching
	)
		return;
	const fits = entries.every(
		(entry, at) =>
			entry.index === request.first + at &&
			entry.term === core.log.termAt(entry.index),
	);
	if (entries.length === 0 || !fits) {
		fetchFailed(core, request);
		return;
	}
	progress.fetching = false;
	core.replicationWanted = true;
	if (progress.next === request.first && progress.canSend) {
		sendAppend(core, progress, entries);
	}
}

export function fetchFailed(core: Core, request: Fetch): void {
	const progress = core.followers.get(request.to);
	if (
		progress === undefined ||
		progress.session !== request.session ||
		!progress.fetching
	)
		return;
	// Waits for the next heartbeat's answer, so that a disk in trouble is not asked in a circle.
	progress.becomeProbe(progress.next);
	progress.paused = true;
}

export function handleAppendResponse(
	core: Core,
	message: AppendResponse,
): void {
	const progress = core.followers.get(message.from);
	if (progress === undefined) return;
	progress.heardMs = core.nowMs;
	// An answer to an earlier session (P52), or one that no follower of this leader can give.
	if (
		progress.session !== message.session ||
		message.match > core.log.lastIndex
	)
		return;
	core.replicationWanted = true;
	if (!message.success) {
		const common = core.log.lastIndexWithTermAtMost(
			message.hintIndex,
			message.hintTerm,
		);
		progress.reject(message.rejected, common);
		return;
	}
	if (progress.acknowledge(message.match)) advanceCommit(core);
	handOver(core);
}

/** Commits what a quorum holds on disk, this node counted like the others, if it is of this term (P3, P7). */
export function advanceCommit(core: Core): void {
	const { log } = core;
	const index = quorumIndex(core.configuration, (id) =>
		id === core.id ? log.durable : (core.followers.get(id)?.match ?? 0),
	);
	if (
		index > log.commit &&
		index <= log.lastIndex &&
		log.termAt(index) === core.term
	)
		log.commitTo(index);
}

export function handleHeartbeatResponse(
	core: Core,
	message: HeartbeatResponse,
): void {
	const progress = core.followers.get(message.from);
	if (progress === undefined) return;
	progress.heardMs = core.nowMs;
	progress.readConfirmed = Math.max(progress.readConfirmed, message.read);
	confirmReads(core);
	if (message.session !== progress.session) return;
	if (progress.paused) {
		progress.paused = false;
		core.replicationWanted = true;
	}
	if (progress.state === "replicate") inquire(core, progress);
}

/**
 * Entries are out and no answer came for a heartbeat interval: they, or the answers, may be lost. An empty append at
 * the end of what was sent tells which: it is refused where something is missing (P50).
 */
function inquire(core: Core, progress: Progress): void {
	if (progress.fetching || progress.next - 1 === progress.match) return;
	if (progress.inquiredMatch !== progress.match || progress.inquiredMs === 0) {
		progress.inquiredMatch = progress.match;
		progress.inquiredMs = core.nowMs;
	} else if (
		core.nowMs - progress.inquiredMs >=
		core.options.heartbeatIntervalMs
	) {
		progress.inquiredMs = core.nowMs;
		sendAppend(core, progress, []);
	}
}

/** Heartbeats for everybody: proof of life, the commit index as far as each has matched, and the newest read round. */
export function sendHeartbeats(core: Core): void {
	core.nextHeartbeatMs = core.nowMs + core.options.heartbeatIntervalMs;
	for (const progress of core.followers.values()) sendHeartbeat(core, progress);
}

/** Followers learn a commit index from the next append; when none comes, from here. */
export function sendCommits(core: Core): void {
	for (const progress of core.followers.values()) {
		if (progress.commitSent < Math.min(core.log.commit, progress.match))
			sendHeartbeat(core, progress);
	}
}

function sendHeartbeat(core: Core, progress: Progress): void {
	const commit = Math.min(core.log.commit, progress.match);
	progress.commitSent = Math.max(progress.commitSent, commit);
	core.send({
		type: "heartbeat",
		from: core.id,
		to: progress.id,
		term: core.term,
		session: progress.session,
		commit,
		read: core.rounds.sequence,
	});
}

/**
 * Time spent away is nobody's silence: after it there are two heartbeats to be heard in (P68). Once only until a quorum
 * really was heard again, or a leader that is often away would excuse itself for ever (P35).
 */
export function excuseSilence(core: Core): void {
	if (heardSince(core, core.excusedMs)) core.excusedMs = core.nowMs;
}

/** Whether a quorum was heard within the election timeout; a leader that cannot say so must not lead on (P35). */
export function hearsQuorum(core: Core): boolean {
	const { electionTimeoutMs, heartbeatIntervalMs } = core.options;
	if (core.nowMs - core.excusedMs < 2 * heartbeatIntervalMs) return true;
	return heardSince(core, core.nowMs - electionTimeoutMs);
}

function heardSince(core: Core, sinceMs: number): boolean {
	return isQuorum(
		core.configuration,
		(id) =>
			id === core.id ||
			(core.followers.get(id)?.heardMs ?? Number.NEGATIVE_INFINITY) > sinceMs,
	);
}

export function readOnLeader(core: Core, token: number): void {
	core.rounds.add({
		token,
		deadlineMs: core.nowMs + core.options.outcomeTimeoutMs,
	});
}

export function handleReadRequest(core: Core, message: ReadRequest): void {
	if (core.role !== "leader") {
		refuseRead(core, message.from, message.sequence);
		return;
	}
	const deadlineMs = core.nowMs + core.options.outcomeTimeoutMs;
	core.rounds.add({
		from: message.from,
		sequence: message.sequence,
		deadlineMs,
	});
}

/** Whether reads may begin: something of the own term is committed, so the commit index is current (P40). */
export function canStartRound(core: Core): boolean {
	return (
		core.role === "leader" &&
		core.rounds.canStart &&
		core.log.commit >= core.termStart
	);
}

export function startRound(core: Core): void {
	core.rounds.start(core.log.commit);
	sendHeartbeats(core);
	confirmReads(core);
}

function confirmReads(core: Core): void {
	const confirmed = (sequence: number) =>
		isQuorum(
			core.configuration,
			(id) =>
				id === core.id ||
				(core.followers.get(id)?.readConfirmed ?? 0) >= sequence,
		);
	core.rounds.confirm(confirmed, (reader, index) =>
		answerRead(core, reader, index),
	);
}

function answerRead(core: Core, reader: Reader, index: number): void {
	if ("token" in reader) {
		core.readOutcomes.push({ token: reader.token, index });
		return;
	}
	const { from: to, sequence } = reader;
	core.send({
		type: "read-response",
		from: core.id,
		to,
		term: core.term,
		sequence,
		index,
	});
}

/** Begins to hand leadership to `target`, or to the most caught-up voter. Until it ends no proposals are taken. */
export function beginTransfer(
	core: Core,
	target: NodeId | null,
	token: number,
): void {
	const chosen = target ?? mostCaughtUp(core);
	const reason = transferRefusal(core, chosen);
	if (reason !== null || chosen === null) {
		core.transferOutcomes.push({ token, outcome: "refused", reason });
		return;
	}
	core.transfer = {
		target: chosen,
		token,
		deadlineMs: core.nowMs + core.options.transferTimeoutMs,
		asked: false,
	};
	core.replicationWanted = true;
	core.changed = true;
	handOver(core);
}

function transferRefusal(core: Core, target: NodeId | null): Refusal | null {
	if (core.role !== "leader") return "not-leader";
	if (core.transfer !== null) return "transferring";
	if (target === null) return "target-unreachable";
	if (target === core.id) return "already-leader";
	if (!isVoter(core.configuration, target)) return "not-a-voter";
	const progress = core.followers.get(target) as Progress;
	if (core.nowMs - progress.heardMs >= core.options.electionTimeoutMs)
		return "target-unreachable";
	if (progress.state !== "replicate") return "target-lagging";
	return core.log.lastIndex - progress.match > maxTransferLagEntries
		? "target-lagging"
		: null;
}

/** The voter with the most of the log, among those that were heard lately. */
export function mostCaughtUp(core: Core): NodeId | null {
	let best: Progress | null = null;
	for (const progress of core.followers.values()) {
		if (!isVoter(core.configuration, progress.id)) continue;
		if (core.nowMs - progress.heardMs >= core.options.electionTimeoutMs)
			continue;
		if (best === null || progress.match > best.match) best = progress;
	}
	return best?.id ?? null;
}

/** The target may campaign only when it holds everything (P37). */
function handOver(core: Core): void {
	const { transfer } = core;
	if (transfer === null || transfer.asked) return;
	if (core.followers.get(transfer.target)?.match !== core.log.lastIndex) return;
	transfer.asked = true;
	askToCampaign(core, transfer.target);
}

function askToCampaign(core: Core, to: NodeId): void {
	core.send({ type: "timeout-now", from: core.id, to, term: core.term });
}

/** Gives leadership up because this node's disk does not answer; somebody else should lead at once (P36). */
export function yieldLeadership(core: Core): void {
	const successor = mostCaughtUp(core);
	if (successor !== null) askToCampaign(core, successor);
	becomeFollower(core, core.term, null);
}
