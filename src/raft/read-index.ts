import type { Core } from "./core.js";
import { refuseRead } from "./follower.js";
import { isQuorum } from "./quorum.js";
import type { Reader } from "./reads.js";
import type { ReadRequest } from "./types.js";

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

export function confirmReads(core: Core): void {
	const confirmed = (sequence: number) =>
		isQuorum(
			core.configuration,
			(id) =>
				id === core.id ||
				(core.isCounted(id) &&
					(core.followers.get(id)?.readConfirmed ?? 0) >= sequence),
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
