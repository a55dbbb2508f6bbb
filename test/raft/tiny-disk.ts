import { decodeConfiguration } from "../../src/raft/codec.js";
import {
	type Entry,
	EntryKind,
	type HardState,
	type Restored,
	type SnapshotPoint,
	type TermRange,
	type Write,
} from "../../src/raft/types.js";

/** What a node owns that outlives it. */
export interface Durable {
	hardState: HardState;
	/** The entries behind `base`, without a gap. */
	entries: Entry[];
	/** Where the log begins: 0 at term 0, or where it was reset or compacted to. */
	base?: { readonly index: number; readonly term: number };
	/** The newest snapshot on the disk. */
	snapshot?: SnapshotPoint | null;
}

export function lastIndexOf({ entries, base }: Durable): number {
	return (base?.index ?? 0) + entries.length;
}

export function entriesOf(
	{ entries, base }: Durable,
	first: number,
	last: number,
): Entry[] {
	const offset = (base?.index ?? 0) + 1;
	return entries.slice(Math.max(0, first - offset), last - offset + 1);
}

/** A write has reached the disk. */
export function store(disk: Durable, write: Write): void {
	if (write.reset !== null) {
		disk.base = write.reset;
		disk.entries = [];
	}
	const first = write.entries[0];
	if (first !== undefined) {
		disk.entries.length = first.index - 1 - (disk.base?.index ?? 0);
		disk.entries.push(...write.entries);
	}
	if (write.hardState !== null) disk.hardState = write.hardState;
}

/** Lets go of the entries up to `index`. */
export function compactDisk(disk: Durable, index: number): void {
	const term = entriesOf(disk, index, index)[0]?.term;
	if (term === undefined) return;
	disk.entries = entriesOf(disk, index + 1, lastIndexOf(disk));
	disk.base = { index, term };
}

/** What a start finds. A log that does not hold the snapshot's entry begins anew behind the snapshot (P45). */
export function recover(disk: Durable): Restored {
	const snapshot = disk.snapshot ?? null;
	if (snapshot !== null && termOf(disk, snapshot.index) !== snapshot.term) {
		disk.base = { index: snapshot.index, term: snapshot.term };
		disk.entries = [];
	}
	const { hardState, entries } = disk;
	const terms: TermRange[] = [];
	for (const { term, index } of entries) {
		if (terms.at(-1)?.term !== term) terms.push({ term, first: index });
	}
	const lastIndex = lastIndexOf(disk);
	const known = Math.max(hardState.commit, snapshot?.index ?? 0);
	return {
		hardState,
		lastIndex,
		terms,
		configurations: entries
			.filter((entry) => entry.kind === EntryKind.configuration)
			.map(({ index, data }) => ({
				index,
				configuration: decodeConfiguration(data),
			})),
		snapshot,
		tail: entriesOf(disk, known + 1, lastIndex),
		applied: snapshot?.index ?? 0,
	};
}

function termOf(disk: Durable, index: number): number | undefined {
	if (index === disk.base?.index) return disk.base.term;
	return entriesOf(disk, index, index)[0]?.term;
}
