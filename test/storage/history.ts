import { blockBytes, decodeBlock, encodeBlock } from "../../src/raft/codec.js";
import { type Entry, EntryKind, type HardState } from "../../src/raft/types.js";
import type { Disk } from "../../src/storage/disk.js";
import { groupOf } from "../../src/storage/group.js";
import type {
	RecoveredLog,
	WriteBatch,
} from "../../src/storage/log-storage.js";
import { openWal, type Wal } from "../../src/storage/wal.js";
import { seededRandom } from "../fakes/fake-disk.js";

/** The smallest segments that hold a few records, so that short histories cross several. */
export const smallSegment = 16 * 1024;

export const place = {
	directory: "/data/wal",
	clusterId: "cluster",
	nodeId: "n1",
};

export function openOn(
	disk: Disk,
	segmentBytes = smallSegment,
	newId?: () => Buffer,
) {
	const options = { disk, ...place, segmentBytes };
	return openWal(newId === undefined ? options : { ...options, newId });
}

export function entry(
	index: number,
	term: number,
	data = `${index}.${term}`,
): Entry {
	const kind = EntryKind.command;
	return { index, term, kind, level: 1, data: Buffer.from(data) };
}

/** A batch as the driver makes it. */
export function batchOf(
	sequence: number,
	entries: readonly Entry[],
	hardState: HardState | null = null,
	sync = true,
): WriteBatch {
	const block = new Uint8Array(blockBytes(entries));
	encodeBlock(entries, block, 0);
	return {
		sequence,
		hardState,
		reset: null,
		firstIndex: entries[0]?.index ?? 0,
		lastIndex: entries.at(-1)?.index ?? 0,
		block,
		sync,
	};
}

/** What a log must hold: the model that every test compares with. */
export class Model {
	entries: Entry[] = [];
	hardState: HardState = { term: 0, votedFor: null, commit: 0 };
	/** A hint that is not written yet. */
	waiting: HardState | null = null;

	copy(): Model {
		const copy = new Model();
		copy.entries = this.entries.slice();
		copy.hardState = this.hardState;
		copy.waiting = this.waiting;
		return copy;
	}

	apply(batches: readonly WriteBatch[]): this {
		const { hardState, sync } = groupOf(batches, this.waiting);
		for (const { firstIndex, block } of batches) {
			if (block.length === 0) continue;
			this.entries.length = firstIndex - 1;
			this.entries.push(...decodeBlock(block));
		}
		if (sync) this.hardState = hardState ?? this.hardState;
		this.waiting = sync ? null : hardState;
		return this;
	}

	/** As a clean end leaves it. */
	closed(): this {
		this.hardState = this.waiting ?? this.hardState;
		this.waiting = null;
		return this;
	}

	contents(): string {
		return describe(this.hardState, this.entries);
	}
}

/** Everything that a log holds, in one comparable string. */
export function contentsOf(wal: Wal, recovered: RecoveredLog): string {
	return describe(recovered.hardState, readAll(wal, recovered.lastIndex));
}

export function readAll(wal: Wal, last: number): Entry[] {
	const entries: Entry[] = [];
	while (entries.length < last)
		entries.push(...decodeBlock(wal.readBlock(entries.length + 1, last, 300)));
	return entries;
}

function describe(hardState: HardState, entries: readonly Entry[]): string {
	const { term, votedFor, commit } = hardState;
	const lines = entries.map(
		({ index, term, kind, level, data }) =>
			`${index} ${term} ${kind} ${level} ${Buffer.from(data).toString("hex")}`,
	);
	return [`${term} ${votedFor} ${commit}`, ...lines].join("\n");
}

/** A history as a node may live through it: terms rise, suffixes are replaced, votes and hints come between. */
export function randomHistory(seed: number, groups: number): WriteBatch[][] {
	const random = seededRandom(seed);
	const below = (limit: number) => Math.floor(random() * limit);
	let term = 1;
	let commit = 0;
	let last = 0;
	let sequence = 0;
	const batch = (): WriteBatch => {
		sequence += 1;
		const votedFor = random() < 0.5 ? null : `n${below(3)}`;
		const dice = random();
		if (dice < 0.15 && last > 0) {
			commit += below(last - commit + 1);
			return batchOf(sequence, [], { term, votedFor, commit }, false);
		}
		if (dice < 0.3) {
			term += 1;
			return batchOf(sequence, [], { term, votedFor, commit });
		}
		const first =
			random() < 0.2 ? commit + 1 + below(last - commit + 1) : last + 1;
		// What replaces a suffix comes from a later term.
		if (first <= last) term += 1;
		const entries = Array.from({ length: 1 + below(4) }, (_, offset) =>
			entry(first + offset, term, "x".repeat(below(400))),
		);
		last = first + entries.length - 1;
		const state = random() < 0.3 ? { term, votedFor, commit } : null;
		return batchOf(sequence, entries, state);
	};
	return Array.from({ length: groups }, () =>
		Array.from({ length: 1 + below(3) }, batch),
	);
}
