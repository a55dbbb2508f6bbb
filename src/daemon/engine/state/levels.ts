import { parseControl, type WriteLevel } from "../../../machines/control.js";
import type { Machine } from "../../../machines/machine.js";
import { foundingLevel } from "../../../raft/bootstrap.js";
import { type Entry, EntryKind } from "../../../raft/types.js";

/** What decides which entries this release can read and write: its machine, and what the cluster agreed upon. */
export interface LevelFacts {
	readonly machine: Pick<Machine, "name" | "levels">;
	/** As the cluster's state has it; null until it is set. */
	readonly agreed: WriteLevel | null;
}

/** Until it is set, the oldest level that is still read: that is the one which every release there may be can read. */
export function agreedLevelOf({ machine, agreed }: LevelFacts): WriteLevel {
	return agreed ?? { level: machine.levels.reads[0], release: "" };
}

/** The level that this release writes new commands at: never above the cluster's (P61). */
export function writtenLevelOf(facts: LevelFacts): number {
	return Math.min(agreedLevelOf(facts).level, facts.machine.levels.writes);
}

/** Why a command of this level must not enter the log; null when it may. */
export function levelRefusal(facts: LevelFacts, level: number): string | null {
	const { machine } = facts;
	const { reads, writes } = machine.levels;
	const agreed = agreedLevelOf(facts).level;
	if (level > agreed)
		return `level ${level} is above the cluster's write level ${agreed}`;
	if (level > writes)
		return `this release of machine ${machine.name} writes level ${writes}, not ${level}`;
	if (level < reads[0])
		return `this release of machine ${machine.name} reads levels ${reads[0]} to ${reads[1]}, not ${level}`;
	return null;
}

/** Why this release cannot be a part of the cluster: it could not read what the others write. Null when it can. */
export function unreadableBecause(facts: LevelFacts): string | null {
	const { machine, agreed } = facts;
	const [oldest, newest] = machine.levels.reads;
	if (agreed === null || (agreed.level >= oldest && agreed.level <= newest))
		return null;
	const reads = `this release of machine ${machine.name} reads levels ${oldest} to ${newest}`;
	return agreed.level > newest
		? `the cluster's write level is ${agreed.level}; ${reads}; release ${agreed.release}, or a later one, is needed`
		: `the cluster's write level is ${agreed.level}; ${reads}; release ${agreed.release} reads it`;
}

/** Why this release cannot read the entry; null when it can. Whatever it does not know stops it: it never guesses. */
export function unreadableEntry(
	facts: LevelFacts,
	{ index, kind, level, data }: Entry,
): string | null {
	const { machine, agreed } = facts;
	const hint =
		agreed === null
			? ""
			: `; release ${agreed.release} set the write level ${agreed.level}`;
	switch (kind) {
		case EntryKind.command:
		case EntryKind.sessionCommand: {
			const [oldest, newest] = machine.levels.reads;
			if (level >= oldest && level <= newest) return null;
			return `entry ${index} has level ${level}; this release of machine ${machine.name} reads ${oldest} to ${newest}${hint}`;
		}
		case EntryKind.noop:
		case EntryKind.configuration:
		case EntryKind.control:
			if (level > foundingLevel)
				return `entry ${index} of kind ${kind} has level ${level}; this release of raftd reads up to ${foundingLevel}${hint}`;
			// A later release may have executed it: to pass it over would be a guess.
			return kind === EntryKind.control && parseControl(data) === null
				? `entry ${index} is a command of the cluster's own that this release of raftd does not know${hint}`
				: null;
		default:
			return `entry ${index} has kind ${kind}, which this release of raftd does not know${hint}`;
	}
}
