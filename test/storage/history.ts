import { blockBytes, decodeBlock, encodeBlock } from "../../src/raft/codec.js";
import { type Entry, EntryKind, type HardState } from "../../src/raft/types.js";
import type { Disk } from "../../src/storage/disk.js";
import { groupOf } from "../../src/storage/group.js";
import type {
	LogReset,
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
	largeRecordBytes?: number,
) {
	const options = { disk, ...place, segmentBytes, largeRecordBytes };
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
		blocks: entries.length === 0 ? [] : [block],
		sync,
	};
}

/** A batch that empties the log; it begins anew behind `reset.index`, with `entries`. */
export function resetOf(
	sequence: number,
	reset: LogReset,
	entries: readonly Entry[] = [],
	hardState: HardState | null = null,
): WriteBatch {
	return { ...batchOf(sequence, entries, hardState), reset };
}

/** What a log must hold: the model that every test compares with. */
export class Model {
	/** Those that were dropped by a compaction included. */
	entries: Entry[] = [];
	hardState: HardState = { term: 0, votedFor: null, commit: 0 };
	/** A hint that is not written yet. */
	waiting: HardState | null = null;
	/** The newest. */
	reset: LogReset = { index: 0, term: 0 };
	/** Entries up to here may be held or not. */
	compacted = 0;

	get lastIndex(): number {
		return this.entries.at(-1)?.index ?? this.reset.index;
	}

	copy(): Model {
		return Object.assign(new Model(), this, { entries: [...this.entries] });
	}

	apply(batches: readonly WriteBatch[]): this {
		const { hardState, sync } = groupOf(batches, this.waiting);
		for (const { reset, firstIndex, blocks } of batches) {
			if (reset !== null) {
				this.reset = reset;
				this.entries = [];
			}
			if (blocks.length === 0) continue;
			this.entries = this.entries.filter(({ index }) => index < firstIndex);
			this.entries.push(...blocks.flatMap(decodeBlock));
		}
		if (sync) this.hardState = hardState ?? this.hardState;
		this.waiting = sync ? null : hardState;
		return this;
	}

	compact(index: number): this {
		this.compacted = Math.max(this.compacted, index);
		return this;
	}

	/** As a clean end leaves it. */
	closed(): this {
		this.hardState = this.waiting ?? this.hardState;
		this.waiting = null;
		return this;
	}

	/** Everything but what may be gone. */
	contents(): string {
		const { hardState, lastIndex, reset, entries, compacted } = this;
		const resetTerm = entries.length === 0 ? reset.term : 0;
		const needed = entries.filter(({ index }) => index > compacted);
		return describe({ hardState, lastIndex, resetTerm }, needed);
	}
}

/** Everything that a log holds behind `base`, in one comparable string. */
export function contentsOf(
	wal: Wal,
	recovered: RecoveredLog,
	base = 0,
): string {
	const { firstIndex, lastIndex } = recovered;
	const first = Math.max(firstIndex, base + 1);
	return describe(recovered, readAll(wal, lastIndex, first));
}

/** Whether a log that was found holds what `model` says, and nothing from before its reset. */
export function holds(
	model: Model,
	{ wal, recovered }: { wal: Wal; recovered: RecoveredLog },
): boolean {
	const { compacted, reset } = model;
	const { firstIndex } = recovered;
	return (
		firstIndex > reset.index &&
		firstIndex <= Math.max(compacted, reset.index) + 1 &&
		contentsOf(wal, recovered, compacted) === model.contents()
	);
}

export function readAll(wal: Wal, last: number, first = 1): Entry[] {
	const entries: Entry[] = [];
	while (first + entries.length <= last)
		entries.push(
			...decodeBlock(wal.readBlock(first + entries.length, last, 300)),
		);
	return entries;
}

function describe(
	{
		hardState,
		lastIndex,
		resetTerm,
	}: Pick<RecoveredLog, "hardState" | "lastIndex" | "resetTerm">,
	entries: readonly Entry[],
): string {
	const { term, votedFor, commit } = hardState;
	const lines = entries.map(
		({ index, term, kind, level, data }) =>
			`${index} ${term} ${kind} ${level} ${Buffer.from(data).toString("hex")}`,
	);
	const state = `${term} ${votedFor} ${commit} to ${lastIndex} ${resetTerm}`;
	return [state, ...lines].join("\n");
}

/** One thing that a log is asked to do. */
export type Step = readonly WriteBatch[] | { readonly compact: number };

/** A history with snapshots in it: the log is compacted behind them, and now and then begins anew behind one. */
export function randomLife(seed: number, steps: number): Step[] {
	return play(seed, steps, 0.15);
}

/** A history as a node may live through it: terms rise, suffixes are replaced, votes and hints come between. */
export function randomHistory(seed: number, groups: number): WriteBatch[][] {
	return play(seed, groups, 0) as WriteBatch[][];
}

function play(seed: number, steps: number, snapshots: number): Step[] {
	const random = seededRandom(seed);
	const below = (limit: number) => Math.floor(random() * limit);
	let term = 1;
	let commit = 0;
	let last = 0;
	let sequence = 0;
	const batch = (): WriteBatch => {
		sequence += 1;
		if (snapshots > 0 && random() < snapshots / 2) return reset();
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
	const reset = (): WriteBatch => {
		const index = Math.max(1, commit) + below(20);
		term += below(2);
		const first = index + 1;
		const entries = Array.from({ length: below(3) }, (_, offset) =>
			entry(first + offset, term, "x".repeat(below(400))),
		);
		last = index + entries.length;
		commit = index;
		const state = random() < 0.5 ? { term, votedFor: null, commit } : null;
		return resetOf(sequence, { index, term }, entries, state);
	};
	return Array.from({ length: steps }, () =>
		snapshots > 0 && random() < snapshots
			? { compact: below(commit + 1) }
			: Array.from({ length: 1 + below(3) }, batch),
	);
}
