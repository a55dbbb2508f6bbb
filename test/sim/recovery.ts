import { alignmentOf } from "../../src/daemon/engine/replay.js";
import {
	type Entry,
	EntryKind,
	type Restored,
	type TermRange,
} from "../../src/raft/types.js";
import { configurationOf } from "./configuration-of.js";
import type { SimDisk } from "./disk.js";
import type { SnapshotFile } from "./snapshot-file.js";

/**
 * How log and snapshot fit together on a disk: as they are; after the log was emptied, as it does not reach the snapshot
 * or contradicts it (P17, P45); or not at all.
 */
export type Alignment = "empty" | "fits" | "suffix kept" | "reset" | "damaged";

export interface Recovered {
	readonly alignment: Alignment;
	/** The newest that can be read. */
	readonly snapshot: SnapshotFile | null;
	/** A newer one could not be read. */
	readonly fellBack: boolean;
}

/** Brings the log in line with the newest snapshot that can be read, durably, before the node starts: by raftd's own rule. */
export function align(disk: SimDisk): Recovered {
	const snapshot =
		disk.snapshots.findLast((file) => !disk.damaged.has(file)) ?? null;
	const fellBack = snapshot !== (disk.newest ?? null);
	if (fellBack)
		disk.snapshots = disk.snapshots.filter((file) => !disk.damaged.has(file));
	return { alignment: settle(disk, snapshot), snapshot, fellBack };
}

function settle(disk: SimDisk, snapshot: SnapshotFile | null): Alignment {
	if (disk.logDamaged) return "damaged";
	const { entries, base } = disk;
	const { term, votedFor, commit } = disk;
	const point = snapshot?.point ?? null;
	const alignment = alignmentOf(
		{
			hardState: { term, votedFor, commit },
			...{ firstIndex: base + 1, lastIndex: entries.length },
			terms: termsOf(disk),
		},
		point,
	);
	if (alignment === "damaged") return "damaged";
	if (point === null) return entries.length === 0 ? "empty" : "fits";
	if (alignment === "fits")
		return entries.length > point.index ? "suffix kept" : "fits";
	disk.reset(point.index);
	disk.commit = point.index;
	// The node heard of this term, but it need not have written that down yet.
	if (disk.term < point.term) {
		disk.term = point.term;
		disk.votedFor = null;
	}
	return "reset";
}

function termsOf({ entries, base }: SimDisk): TermRange[] {
	const terms: TermRange[] = [];
	for (let at = base; at < entries.length; at++) {
		const { term, index } = entries[at] as Entry;
		if (terms.at(-1)?.term !== term) terms.push({ term, first: index });
	}
	return terms;
}

/** What a node finds at start on a disk that was aligned, and whose machine stands at `applied`. */
export function restoredFrom(
	disk: SimDisk,
	snapshot: SnapshotFile | null,
	applied: number,
): Restored {
	const { entries, base, term, votedFor, commit } = disk;
	const configurations: Restored["configurations"][number][] = [];
	for (let at = base; at < entries.length; at++) {
		const entry = entries[at] as Entry;
		if (entry.kind === EntryKind.configuration) {
			configurations.push({
				index: entry.index,
				configuration: configurationOf(entry),
			});
		}
	}
	const from = Math.max(commit, snapshot?.point.index ?? 0);
	return {
		hardState: { term, votedFor, commit },
		lastIndex: entries.length,
		terms: termsOf(disk),
		configurations,
		snapshot: snapshot?.point ?? null,
		tail: entries.slice(from),
		applied,
	};
}
