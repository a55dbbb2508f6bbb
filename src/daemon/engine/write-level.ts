import { membersOf } from "../../raft/configurations.js";
import type { Configuration } from "../../raft/types.js";
import type { LevelRange } from "../../wire/peer-handshake.js";
import type { CommandOutcome } from "../replica.js";

export const writeLevelDeadlineMs = 10_000;

/**
 * Why `level` must not become the one that the cluster writes; null when every member reads it, by what each said when
 * it last connected, and is connected now (P61).
 */
export function writeLevelRefusal(
	level: number,
	cluster: {
		readonly self: string;
		readonly configuration: Configuration;
		readonly machine: LevelRange;
		levelsOf(peer: string): LevelRange | null;
	},
): string | null {
	const { self, configuration, machine, levelsOf } = cluster;
	if (level > machine.writes)
		return `${self} writes level ${machine.writes} at most`;
	const problems = membersOf(configuration).flatMap((id) => {
		const levels = id === self ? machine : levelsOf(id);
		if (levels === null) return `${id} is not connected`;
		return level < levels.readsFrom || level > levels.readsTo
			? `${id} reads levels ${levels.readsFrom} to ${levels.readsTo}`
			: [];
	});
	return problems.length === 0 ? null : problems.join("; ");
}

export function writeLevelOutcome(outcome: CommandOutcome): string | null {
	if (outcome.kind === "rejected" || outcome.kind === "unknown")
		return outcome.message;
	if (outcome.kind !== "applied") return "it is not known whether it was set";
	const { ok } = JSON.parse(Buffer.from(outcome.result).toString());
	return ok === true ? null : "the write level never goes down";
}
