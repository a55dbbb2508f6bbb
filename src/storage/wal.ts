import type { HardState } from "../raft/types.js";
import { BlockIndex } from "./block-index.js";
import { BlockReader } from "./block-reader.js";
import { type Group, groupOf, hardStateItem } from "./group.js";
import type {
	LogStorageStats,
	RecoveredLog,
	WriteBatch,
} from "./log-storage.js";
import { markBegun, removeTemporary } from "./marker.js";
import { checkOrder, type LogEdge } from "./order.js";
import { type Item, ItemKind } from "./record.js";
import { RecordLog, type RecordLogOptions } from "./record-log.js";
import { type Recovery, recover } from "./recovery.js";

/**
 * Opens the log in `directory`, or begins one there. What it returns is durable. Throws an OperatorError when the log
 * is damaged, belongs to another node, or was written by a later format; then nothing was changed.
 */
export function openWal(options: RecordLogOptions): {
	wal: Wal;
	recovered: RecoveredLog;
} {
	options.disk.makeDirectory(options.directory);
	const recovery = recover(options);
	if (recovery === null) removeTemporary(options);
	const wal = new Wal(options, recovery);
	markBegun(options);
	const replay = recovery?.replay;
	return {
		wal,
		recovered: {
			hardState: replay?.hardState ?? emptyHardState,
			firstIndex: replay?.blocks.firstIndex ?? 1,
			lastIndex: replay?.blocks.lastIndex ?? 0,
			resetTerm: replay?.resetTerm ?? 0,
			terms: replay?.terms ?? [],
			configurations: replay?.configurations ?? [],
			repaired: recovery?.repaired ?? null,
		},
	};
}

const emptyHardState: HardState = { term: 0, votedFor: null, commit: 0 };

/**
 * The write-ahead log (docs/formats.md): hard state and entries as records. Synchronous; one caller. After any failure
 * it refuses everything: what the disk holds is then known only to the next open (P11, P16).
 */
export class Wal {
	readonly #records: RecordLog;
	readonly #blocks: BlockIndex;
	readonly #reader: BlockReader;
	#hardState: HardState;
	/** The segments with the newest hard state and the newest reset; 0 for none. */
	#hardStateSegment: number;
	#resetSegment: number;
	/** Up to here a snapshot stands for the entries, whether they are held or not. */
	#base: number;
	/** A commit hint that waits for a group that has to be written anyway. */
	#waiting: HardState | null = null;
	#failure: unknown = null;

	/** Use `openWal`. */
	constructor(options: RecordLogOptions, recovery: Recovery | null) {
		const replay = recovery?.replay;
		const records = new RecordLog(options, recovery);
		const blocks = replay?.blocks ?? new BlockIndex(0);
		const { directory, nodeId } = options;
		this.#records = records;
		this.#blocks = blocks;
		this.#reader = new BlockReader({
			...{ blocks, directory, nodeId },
			segment: (ordinal) => records.segment(ordinal),
		});
		this.#hardState = replay?.hardState ?? emptyHardState;
		this.#hardStateSegment = replay?.places.hardState ?? 0;
		this.#resetSegment = replay?.places.reset ?? 0;
		this.#base = replay?.reset?.index ?? 0;
	}

	stats(): LogStorageStats {
		return { ...this.#records.stats(), firstIndex: this.#blocks.firstIndex };
	}

	/** Makes `batches` durable as one: on return all are, after a throw and a restart all are or none is. */
	append(batches: readonly WriteBatch[]): void {
		this.#guarded(() => {
			const group = groupOf(batches, this.#waiting);
			const { base } = checkOrder(batches, this.#edge());
			this.#waiting = group.hardState;
			if (group.sync) this.#write(group);
			this.#base = base;
		});
	}

	/**
	 * Entries from `first` on, at most to `last`, as one block of at most about `maxBytes`, at least one entry. Throws a
	 * RangeError for an index that the log does not have, an OperatorError when the disk gives back other bytes than it
	 * was given.
	 */
	readBlock(
		first: number,
		last: number,
		maxBytes: number,
	): Uint8Array<ArrayBuffer> {
		if (this.#failure !== null) throw this.#failure;
		return this.#reader.read(first, last, maxBytes);
	}

	/**
	 * Drops the segments whose entries all lie at or below `index`, as a durable snapshot stands for these (P17). On
	 * return it is durable where the log begins; the files go with `removeSome`. The last entry stays, as do the newest
	 * hard state and, in an empty log, its reset. A disk that is too full to note it keeps all until the next call.
	 */
	compact(index: number): void {
		this.#guarded(() => {
			const { lastIndex } = this.#blocks;
			this.#base = Math.max(this.#base, Math.min(index, lastIndex));
			const needed = this.#blocks.segmentBehind(index) ?? this.#resetSegment;
			const first = Math.min(needed, this.#hardStateSegment);
			if (this.#records.dropBefore(first) && !this.#blocks.isEmpty)
				this.#blocks.dropBefore(first);
		});
	}

	/** Frees some of what `compact` dropped; true while there is more to do. */
	removeSome(): boolean {
		return this.#guarded(() => this.#records.removeSome());
	}

	/** Fills up to `bytes` of the next segment when it is time to; true while there is more to do. */
	prepare(bytes: number): boolean {
		return this.#guarded(() => this.#records.prepare(bytes));
	}

	/**
	 * Notes how far the log is durable, without a sync. A later open can then tell rot in the last record, which is
	 * corruption, from a write that a crash cut short. Call it when nothing is waiting.
	 */
	markFloor(): void {
		this.#guarded(() => this.#records.markFloor());
	}

	/** Writes what waits, and gives everything back. After a failure it only gives back. */
	close(): void {
		try {
			if (this.#failure === null) this.#settle();
		} finally {
			this.#records.closeFiles();
			this.#failure ??= new Error("the log is closed");
		}
	}

	#settle(): void {
		const hardState = this.#waiting;
		if (hardState !== null) {
			const items = [hardStateItem(hardState)];
			this.#write({ items, hardState, reset: null });
		}
		this.#records.settle();
	}

	#guarded<T>(work: () => T): T {
		if (this.#failure !== null) throw this.#failure;
		try {
			return work();
		} catch (error) {
			this.#failure = error;
			throw error;
		}
	}

	#edge(): LogEdge {
		const { lastIndex } = this.#blocks;
		const { commit } = this.#waiting ?? this.#hardState;
		return { lastIndex, commit, base: this.#base };
	}

	#write({ items, hardState, reset }: Omit<Group, "sync">): void {
		// Each segment begins with the hard state, so that those before it can be dropped.
		const begins: readonly Item[] =
			hardState === null ? [...items, hardStateItem(this.#hardState)] : items;
		const isFresh = this.#records.isFresh;
		const needsCut = this.#records.needsCut(isFresh ? begins : items);
		if (needsCut) this.#records.cut(begins, this.#blocks.lastIndex + 1);
		const written = this.#records.append(needsCut || isFresh ? begins : items);
		const { segment } = written;
		if (reset !== null) {
			this.#blocks.reset(reset.index);
			this.#resetSegment = segment;
		}
		for (const item of written.items) {
			if (item.kind === ItemKind.entries)
				this.#blocks.add({ ...item, segment });
			if (item.kind === ItemKind.hardState) this.#hardStateSegment = segment;
		}
		this.#hardState = hardState ?? this.#hardState;
		this.#waiting = null;
	}
}
