import { foundingLevel } from "./bootstrap.js";
import { Rate } from "./catch-up.js";
import { entryHeaderBytes } from "./codec.js";
import { membersOf } from "./configurations.js";
import type { Core } from "./core.js";
import { Progress } from "./progress.js";
import { isQuorum } from "./quorum.js";
import { ReadRounds } from "./reads.js";
import { EntryKind, type NodeId, type Refusal } from "./types.js";

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
	core.leaseVoid = false;
	core.growth = new Rate(core.log.lastIndex, core.nowMs);
	core.followers.clear();
	for (const id of membersOf(core.configuration)) {
		if (id !== core.id) core.followers.set(id, makeProgress(core, id));
	}
	core.nextHeartbeatMs = core.nowMs + core.options.heartbeatIntervalMs;
	core.excusedMs = Number.NEGATIVE_INFINITY;
	core.termStart = core.log.lastIndex + 1;
	appendEntry(core, EntryKind.noop, foundingLevel, new Uint8Array(0));
}

export function makeProgress(core: Core, id: NodeId): Progress {
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

/** Appends commands; null when they are in the log of this leader. A refusal is definite: nothing was appended. */
export function propose(core: Core, batch: ProposalBatch): Refusal | null {
	if (core.role !== "leader") return "not-leader";
	// A leader that is about to go with its own removal would leave its callers without an answer.
	if (core.transfer !== null || !core.isVoter) return "transferring";
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

export function appendEntry(
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
			(core.isCounted(id) &&
				(core.followers.get(id)?.heardMs ?? Number.NEGATIVE_INFINITY) >
					sinceMs),
	);
}
