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

/** Brings the log in line with the newest snapshot that can be read, durably, before the node starts. */
export function align(disk: SimDisk): Recovered {
	const snapshot =
		disk.snapshots.findLast((file) => !disk.damaged.has(file)) ?? null;
	const fellBack = snapshot !== (disk.newest ?? null);
	if (fellBack)
		disk.snapshots = disk.snapshots.filter((file) => !disk.damaged.has(file));
	return { alignment: alignmentOf(disk, snapshot), snapshot, fellBack };
}

function alignmentOf(disk: SimDisk, snapshot: SnapshotFile | null): Alignment {
	const { entries, base } = disk;
	if (disk.logDamaged) return "damaged";
	if (snapshot === null) {
		if (base > 0) return "damaged";
		return entries.length === 0 ? "empty" : "fits";
	}
	const { index, term } = snapshot.point;
	if (base > index) return "damaged";
	if (entries[index - 1]?.term === term)
		return entries.length > index ? "suffix kept" : "fits";
	// What is committed is the same everywhere, so such a log is not what was written.
	if (disk.commit >= index) return "damaged";
	disk.reset(index);
	disk.commit = index;
	// The node heard of this term, but it need not have written that down yet.
	if (disk.term < term) {
		disk.term = term;
		disk.votedFor = null;
	}
	return "reset";
}

/** What a node finds at start on a disk that was aligned, and whose machine stands at `applied`. */
export function restoredFrom(
	disk: SimDisk,
	snapshot: SnapshotFile | null,
	applied: number,
): Restored {
	const { entries, base, term, votedFor, commit } = disk;
	const terms: TermRange[] = [];
	const configurations: Restored["configurations"][number][] = [];
	for (let at = base; at < entries.length; at++) {
		const entry = entries[at] as Entry;
		if (terms.length === 0 || terms[terms.length - 1]?.term !== entry.term)
			terms.push({ term: entry.term, first: entry.index });
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
		terms,
		configurations,
		snapshot: snapshot?.point ?? null,
		tail: entries.slice(from),
		applied,
	};
}
