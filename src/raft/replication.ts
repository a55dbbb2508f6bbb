import { blockBytes, entryHeaderBytes } from "./codec.js";
import type { Core } from "./core.js";
import { settleConfiguration } from "./membership.js";
import type { Progress } from "./progress.js";
import { quorumIndex } from "./quorum.js";
import { handOver } from "./transfer.js";
import type { AppendResponse, Entry, Fetch } from "./types.js";

/** Sends what each follower lacks. Called once for each Ready, so that all of a turn's entries share a message. */
export function replicate(core: Core): void {
	core.replicationWanted = false;
	for (const progress of core.followers.values()) {
		while (
			progress.canSend &&
			(progress.next <= core.log.lastIndex || progress.state === "probe")
		)
			sendNext(core, progress);
	}
}

function sendNext(core: Core, progress: Progress): void {
	const { log } = core;
	// Without the term of the entry before, nothing can be shown to match (P49).
	if (log.termAt(progress.next - 1) === null) turnToSnapshot(core, progress);
	else if (progress.next < log.windowFirst && progress.next <= log.lastIndex)
		fetch(core, progress);
	else sendWindow(core, progress);
}

/** What the follower needs is no longer in the log (P48: also when nothing new is written). */
function turnToSnapshot(core: Core, progress: Progress): void {
	if (core.snapshot === null)
		throw new Error(`invariant: a log compacted without a snapshot`);
	progress.becomeSnapshot(core.snapshot.index);
	offerSnapshot(core, progress);
}

/** Said again at each heartbeat's answer: an offer may be lost, and a newer snapshot may have replaced the older. */
export function offerSnapshot(core: Core, progress: Progress): void {
	const { snapshot } = core;
	if (snapshot === null || progress.wentBack) return;
	core.send({
		type: "snapshot-offer",
		from: core.id,
		to: progress.id,
		term: core.term,
		session: progress.session,
		snapshotIndex: snapshot.index,
		snapshotTerm: snapshot.term,
	});
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
	// The log may have been compacted meanwhile, just so far that there is nothing left to compare with (P49).
	const fits =
		core.log.termAt(request.first - 1) !== null &&
		entries.every(
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
	progress.hear(core.nowMs);
	// An answer to an earlier session (P52), or one that no follower of this leader can give.
	if (
		progress.session !== message.session ||
		message.match > core.log.lastIndex
	)
		return;
	core.replicationWanted = true;
	if (!message.success) {
		if (message.hintIndex < progress.match) {
			doubt(core, progress, message.hintIndex);
			return;
		}
		const common = core.log.lastIndexWithTermAtMost(
			message.hintIndex,
			message.hintTerm,
		);
		progress.reject(message.rejected, common);
		return;
	}
	const news = progress.acknowledge(message.match);
	progress.catchUp.advance(progress.match, core.log.lastIndex, core.nowMs);
	if (news) advanceCommit(core);
	handOver(core);
}

/**
 * A follower has less than it once acknowledged. It may be a late answer; so it is asked again under a new session, and
 * whoever refuses then has lost what others count on (P31, P52).
 */
function doubt(core: Core, progress: Progress, found: number): void {
	if (progress.wentBack) return;
	if (!progress.suspected) {
		progress.suspected = true;
		progress.session = ++core.sessions;
		progress.becomeProbe(progress.match + 1);
		return;
	}
	progress.wentBack = true;
	core.alarms.push({
		...{ kind: "log-went-back", node: progress.id },
		...{ acknowledged: progress.match, found },
	});
	core.changed = true;
}

/** Commits what a quorum holds on disk, this node counted like the others, if it is of this term (P3, P7). */
export function advanceCommit(core: Core): void {
	const { log } = core;
	const index = quorumIndex(core.configuration, (id) => {
		if (id === core.id) return log.durable;
		return core.isCounted(id) ? (core.followers.get(id)?.match ?? 0) : 0;
	});
	if (
		index > log.commit &&
		index <= log.lastIndex &&
		log.termAt(index) === core.term
	) {
		log.commitTo(index);
		settleConfiguration(core);
	}
}

/**
 * Entries are out and no answer came for a heartbeat interval: they, or the answers, may be lost. An empty append at
 * the end of what was sent tells which: it is refused where something is missing (P50).
 */
export function inquire(core: Core, progress: Progress): void {
	if (progress.fetching || progress.next - 1 === progress.match) return;
	if (core.log.termAt(progress.next - 1) === null) {
		// Compacted while it was silent: there is nothing to compare with any more (P49).
		turnToSnapshot(core, progress);
		return;
	}
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
