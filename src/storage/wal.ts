import { randomBytes } from "node:crypto";
import { OperatorError } from "../errors.js";
import type { HardState } from "../raft/types.js";
import { BlockIndex } from "./block-index.js";
import { readBlock } from "./block-reader.js";
import { groupOf, hardStateItem, maxGroupBytes } from "./group.js";
import type {
	LogStorageStats,
	RecoveredLog,
	WriteBatch,
} from "./log-storage.js";
import { isFull, NextSegment } from "./next-segment.js";
import {
	encodeRecord,
	type Item,
	ItemKind,
	RecordType,
	recordBytes,
} from "./record.js";
import { type Recovery, recover } from "./recovery.js";
import {
	beginSegment,
	bindingOf,
	dataStart,
	idBytes,
	pageBytes,
	type Segment,
	writeFloor,
} from "./segment.js";
import { type LogPlace, markBegun, removeTemporary } from "./segment-files.js";

export const defaultSegmentBytes = 64 * 1024 * 1024;

/** What the seal at a segment's end takes; every other record leaves it free. */
const sealBytes = recordBytes([sealItem(Buffer.alloc(idBytes))]);

export interface WalOptions extends LogPlace {
	/** Size of a segment's file, at least 16 KiB; a record that does not fit gets a larger one. */
	readonly segmentBytes?: number;
	/** 16 random bytes for a new segment. */
	readonly newId?: () => Buffer;
}

/**
 * Opens the log in `directory`, or begins one there. What it returns is durable. Throws an OperatorError when the log
 * is damaged, belongs to another node, or was written by a later format; then nothing was changed.
 */
export function openWal(options: WalOptions): {
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
 * The write-ahead log: segments of chained records (docs/formats.md). Synchronous; one caller. After any failure it
 * refuses everything: what the disk holds is then known only to the next open (P11, P16).
 */
export class Wal {
	readonly #options: WalOptions;
	readonly #next: NextSegment;
	readonly #segments: Segment[] = [];
	readonly #blocks: BlockIndex;
	#hardState: HardState;
	/** A commit hint that waits for a group that has to be written anyway. */
	#waiting: HardState | null = null;
	#end = dataStart;
	#chain = 0;
	#markedFloor = 0;
	#floorTurn = 0;
	#scratch = Buffer.alloc(0);
	#failure: unknown = null;
	#syncs = 0;
	#syncMaxMs = 0;
	#syncTotalMs = 0;
	#bytesWritten = 0;

	/** Use `openWal`. */
	constructor(options: WalOptions, recovery: Recovery | null) {
		this.#options = options;
		const { disk, directory, segmentBytes = defaultSegmentBytes } = options;
		this.#next = new NextSegment(disk, directory, segmentBytes);
		this.#blocks = recovery?.replay.blocks ?? new BlockIndex();
		this.#hardState = recovery?.replay.hardState ?? emptyHardState;
		if (recovery === null) this.#begin(0);
		else {
			this.#segments.push(...recovery.segments);
			this.#end = recovery.end;
			this.#chain = recovery.chain;
			this.#floorTurn = recovery.floorTurn;
		}
	}

	get lastIndex(): number {
		return this.#blocks.lastIndex;
	}

	stats(): LogStorageStats {
		return {
			syncs: this.#syncs,
			syncMaxMs: this.#syncMaxMs,
			syncTotalMs: this.#syncTotalMs,
			bytesWritten: this.#bytesWritten,
			segments: this.#segments.length,
		};
	}

	/** Makes `batches` durable as one: on return all are, after a throw and a restart all are or none is. */
	append(batches: readonly WriteBatch[]): void {
		this.#guarded(() => {
			const group = groupOf(batches, this.#waiting);
			this.#checkOrder(group.items);
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
		return readBlock(
			{ segments: this.#segments, blocks: this.#blocks, directory, nodeId },
			{ first, last, maxBytes },
		);
	}

	/** Fills up to `bytes` of the next segment, once this one is a quarter full; true while there is more to do. */
	prepare(bytes: number): boolean {
		return this.#guarded(() => {
			const { size } = this.#last.header;
			return this.#end * 4 >= size && this.#next.prepare(bytes);
		});
	}

	/**
	 * Notes how far the log is durable, without a sync. A later open can then tell rot in the last record, which is
	 * corruption, from a write that a crash cut short. Call it when nothing is waiting.
	 */
	markFloor(): void {
		this.#guarded(() => {
			if (this.#markedFloor === this.#end) return;
			writeFloor(this.#last, this.#end, this.#floorTurn);
			this.#floorTurn += 1;
			this.#markedFloor = this.#end;
		});
	}

	/** Writes what waits, and gives everything back. After a failure it only gives back. */
	close(): void {
		try {
			if (this.#failure === null) this.#settle();
		} finally {
			for (const { file } of this.#segments) file.close();
			this.#failure ??= new Error("the log is closed");
		}
	}

	get #last(): Segment {
		return this.#segments.at(-1) as Segment;
	}

	#settle(): void {
		if (this.#waiting !== null)
			this.#write([hardStateItem(this.#waiting)], this.#waiting);
		this.markFloor();
		this.#sync();
		this.#next.discard();
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

	/** Committed entries are never replaced, and no index is left out: were it asked for, consensus would be broken. */
	#checkOrder(items: readonly Item[]): void {
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
	}

	#write(items: readonly Item[], hardState: HardState | null): void {
		let record = items;
		if (this.#end + recordBytes(items) + sealBytes > this.#last.header.size) {
			this.#cut(recordBytes([...items, hardStateItem(this.#hardState)]));
			// So that segments before it can once be dropped, each segment begins with the hard state.
			if (hardState === null)
				record = [...items, hardStateItem(this.#hardState)];
		}
		this.#put(RecordType.group, record);
		this.#hardState = hardState ?? this.#hardState;
		this.#waiting = null;
	}

	/** Begins a segment with room for a record of `bytes`, then seals the one before: in this order (P14). */
	#cut(bytes: number): void {
		const sealed = this.#last;
		const next = this.#create(sealed, bytes);
		this.#put(RecordType.seal, [sealItem(next.header.id)]);
		this.#enter(next);
	}

	#begin(bytes: number): void {
		this.#enter(this.#create(null, bytes));
	}

	#enter(segment: Segment): void {
		this.#segments.push(segment);
		this.#end = dataStart;
		this.#chain = segment.headerCrc;
		this.#markedFloor = 0;
		this.#floorTurn = 0;
	}

	#create(before: Segment | null, bytes: number): Segment {
		const { disk, directory, clusterId, nodeId } = this.#options;
		const needed = dataStart + bytes + sealBytes;
		try {
			const { file, size } = this.#next.take(roundUp(needed, pageBytes));
			const header = {
				id: (this.#options.newId ?? randomId)(),
				previousId: before?.header.id ?? Buffer.alloc(idBytes),
				ordinal: (before?.header.ordinal ?? 0) + 1,
				baseIndex: this.#blocks.lastIndex + 1,
				size,
				binding: bindingOf(clusterId, nodeId),
			};
			return beginSegment({ disk, directory, file, header });
		} catch (error) {
			throw isFull(error) ? fullDisk(directory, needed, nodeId, error) : error;
		}
	}

	/** One record: one write, one fdatasync, then it counts. */
	#put(type: number, items: readonly Item[]): void {
		const bytes = recordBytes(items);
		const segment = this.#last;
		const chain = {
			seed: segment.seed,
			previous: this.#chain,
			offset: this.#end,
		};
		const target = this.#room(bytes);
		const record = encodeRecord(target, type, items, chain);
		segment.file.writeAt(target, this.#end);
		this.#bytesWritten += bytes;
		this.#sync();
		this.#end = record.end;
		this.#chain = record.crc;
		const number = this.#segments.length - 1;
		for (const item of record.items)
			if (item.kind === ItemKind.entries)
				this.#blocks.add({ ...item, segment: number });
	}

	/** Where a record is put together. What a giant one needed is not kept. */
	#room(bytes: number): Buffer {
		if (bytes > 2 * maxGroupBytes) return Buffer.allocUnsafe(bytes);
		if (this.#scratch.length < bytes)
			this.#scratch = Buffer.allocUnsafe(roundUp(bytes, 64 * 1024));
		return this.#scratch.subarray(0, bytes);
	}

	#sync(): void {
		const before = performance.now();
		this.#last.file.sync();
		const tookMs = performance.now() - before;
		this.#syncs += 1;
		this.#syncTotalMs += tookMs;
		this.#syncMaxMs = Math.max(this.#syncMaxMs, tookMs);
	}
}

/** Names the segment that follows. */
function sealItem(nextId: Buffer): Item {
	return { kind: ItemKind.next, first: 0, last: 0, parts: [nextId] };
}

function randomId(): Buffer {
	return randomBytes(idBytes);
}

function roundUp(bytes: number, unit: number): number {
	return Math.ceil(bytes / unit) * unit;
}

function fullDisk(
	directory: string,
	bytes: number,
	nodeId: string,
	cause: unknown,
): OperatorError {
	return new OperatorError(
		"unexpected",
		`the disk is full: no room for another segment of the log in ${directory} (it needs at least ${bytes} bytes)`,
		{
			node: nodeId,
			state: "everything that was acknowledged is on the disk",
			next: "free some space, then start the node again",
			cause,
		},
	);
}
