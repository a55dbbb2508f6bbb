import type { Core } from "./core.js";
import { confirmedMs } from "./lease.js";
import type { Progress } from "./progress.js";
import { confirmReads } from "./read-index.js";
import { inquire, offerSnapshot } from "./replication.js";
import type { HeartbeatResponse } from "./types.js";

/** Heartbeats for everybody: proof of life, the commit index as far as each has matched, and the newest read round. */
export function sendHeartbeats(core: Core): void {
	core.nextHeartbeatMs = core.nowMs + core.options.heartbeatIntervalMs;
	const currentStamp = wholeStamp(confirmedMs(core, core.nowMs));
	for (const progress of core.followers.values())
		sendHeartbeat(core, progress, currentStamp);
}

/** Followers learn a commit index from the next append; when none comes, from here. */
export function sendCommits(core: Core): void {
	let currentStamp: number | undefined;
	for (const progress of core.followers.values()) {
		if (progress.commitSent >= Math.min(core.log.commit, progress.match))
			continue;
		currentStamp ??= wholeStamp(confirmedMs(core, core.nowMs));
		sendHeartbeat(core, progress, currentStamp);
	}
}

function wholeStamp(atMs: number): number {
	return Math.max(0, Math.floor(atMs));
}

function sendHeartbeat(
	core: Core,
	progress: Progress,
	currentStamp: number,
): void {
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
		stamp: wholeStamp(core.nowMs),
		currentCommit: currentStamp > 0 ? core.log.commit : 0,
		currentStamp,
	});
}

export function handleHeartbeatResponse(
	core: Core,
	message: HeartbeatResponse,
): void {
	const progress = core.followers.get(message.from);
	if (progress === undefined) return;
	progress.hear(core.nowMs);
	progress.readConfirmed = Math.max(progress.readConfirmed, message.read);
	progress.answeredStamp = Math.max(progress.answeredStamp, message.stamp);
	confirmReads(core);
	if (message.session !== progress.session) return;
	if (progress.state === "snapshot") {
		offerSnapshot(core, progress);
		return;
	}
	if (progress.paused) {
		progress.paused = false;
		core.replicationWanted = true;
	}
	if (progress.state === "replicate") inquire(core, progress);
}

export function startRound(core: Core): void {
	core.rounds.start(core.log.commit);
	sendHeartbeats(core);
	confirmReads(core);
}
