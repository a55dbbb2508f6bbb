import type { HardState } from "../raft/types.js";
import { BlockIndex } from "./block-index.js";
import { readBlock } from "./block-reader.js";
import { type Group, groupOf, hardStateItem } from "./group.js";
import type {
	LogStorageStats,
	RecoveredLog,
	WriteBatch,
} from "./log-storage.js";
import { type Item, ItemKind } from "./record.js";
import { RecordLog, type RecordLogOptions } from "./record-log.js";
import { type Recovery, recover } from "./recovery.js";
import { markBegun, removeTemporary } from "./segment-files.js";

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
			lastIndex: replay?.blocks.lastIndex ?? 0,
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
	readonly #options: RecordLogOptions;
	readonly #records: RecordLog;
	readonly #blocks: BlockIndex;
	#hardState: HardState;
	/** A commit hint that waits for a group that has to be written anyway. */
	#waiting: HardState | null = null;
	#failure: unknown = null;

	/** Use `openWal`. */
	constructor(options: RecordLogOptions, recovery: Recovery | null) {
		this.#options = options;
		this.#records = new RecordLog(options, recovery);
		this.#blocks = recovery?.replay.blocks ?? new BlockIndex();
		this.#hardState = recovery?.replay.hardState ?? emptyHardState;
	}

	stats(): LogStorageStats {
		return this.#records.stats();
	}

	/** Makes `batches` durable as one: on return all are, after a throw and a restart all are or none is. */
	append(batches: readonly WriteBatch[]): void {
		this.#guarded(() => {
			const group = groupOf(batches, this.#waiting);
			this.#checkOrder(group);
			this.#waiting = group.hardState;
			if (group.sync) this.#write(group.items, group.hardState);
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
		const { directory, nodeId } = this.#options;
		const { segments } = this.#records;
		const source = { segments, blocks: this.#blocks, directory, nodeId };
		return readBlock(source, { first, last, maxBytes });
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
		if (this.#waiting !== null)
			this.#write([hardStateItem(this.#waiting)], this.#waiting);
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

	/** No index is left out, no committed entry replaced, none committed that is not here: or consensus is broken. */
	#checkOrder({ items, hardState }: Group): void {
		let last = this.#blocks.lastIndex;
		for (const item of items) {
			if (item.kind !== ItemKind.entries) continue;
			if (item.first > last + 1)
				throw new RangeError(`entry ${item.first} cannot follow ${last}`);
			if (item.first <= this.#hardState.commit)
				throw new RangeError(
					`entry ${item.first} would replace a committed one: commit is ${this.#hardState.commit}`,
				);
			last = item.last;
		}
		const commit = hardState?.commit ?? 0;
		if (commit > last)
			throw new RangeError(
				`commit ${commit} is beyond the last entry, ${last}`,
			);
	}

	#write(items: readonly Item[], hardState: HardState | null): void {
		let record = items;
		if (this.#records.needsCut(items)) {
			// Each segment begins with the hard state, so that those before it can be dropped one day.
			if (hardState === null)
				record = [...items, hardStateItem(this.#hardState)];
			this.#records.cut(record, this.#blocks.lastIndex + 1);
		}
		const written = this.#records.append(record);
		const { segment } = written;
		for (const item of written.items)
			if (item.kind === ItemKind.entries)
				this.#blocks.add({ ...item, segment });
		this.#hardState = hardState ?? this.#hardState;
		this.#waiting = null;
	}
}
