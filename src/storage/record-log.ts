import { randomBytes } from "node:crypto";
import { Filling } from "./filling.js";
import { maxGroupBytes } from "./group.js";
import type { LogStorageStats } from "./log-storage.js";
import { type LogPlace, markFirst } from "./marker.js";
import { fullDisk, isFull, NextSegment } from "./next-segment.js";
import {
	encodeRecord,
	type Item,
	ItemKind,
	type ItemPlace,
	RecordType,
	recordBytes,
} from "./record.js";
import type { Recovery } from "./recovery.js";
import { Removal } from "./removal.js";
import {
	beginSegment,
	bindingOf,
	dataStart,
	idBytes,
	pageBytes,
	type Segment,
	writeFloor,
} from "./segment.js";

export const defaultSegmentBytes = 64 * 1024 * 1024;

/** What the seal at a segment's end takes; every other record leaves it free. */
const sealBytes = recordBytes([sealItem(Buffer.alloc(idBytes))]);

export interface RecordLogOptions extends LogPlace {
	/** Size of a segment's file, at least 16 KiB; a record that does not fit gets a larger one. */
	readonly segmentBytes?: number;
	/** Where records are larger on average, segments are not filled with zeros beforehand. */
	readonly largeRecordBytes?: number | undefined;
	/** 16 random bytes for a new segment. */
	readonly newId?: () => Buffer;
}

/** A record that is durable: its segment's ordinal, and the places of its items. */
interface WrittenRecord {
	readonly segment: number;
	readonly items: readonly ItemPlace[];
}

/** Chained records in a row of segments; what they mean is the business of the Wal. After a throw it must not be used. */
export class RecordLog {
	readonly segments: Segment[] = [];
	readonly #options: RecordLogOptions;
	readonly #next: NextSegment;
	readonly #removal: Removal;
	readonly #filling: Filling;
	#end = dataStart;
	#chain = 0;
	#markedFloor = 0;
	#floorTurn = 0;
	#scratch = Buffer.alloc(0);
	#syncs = 0;
	#syncMaxMs = 0;
	#syncTotalMs = 0;
	#bytesWritten = 0;

	constructor(options: RecordLogOptions, recovery: Recovery | null) {
		this.#options = options;
		const { disk, directory, segmentBytes = defaultSegmentBytes } = options;
		this.#next = new NextSegment(disk, directory, segmentBytes);
		this.#removal = new Removal(disk, directory);
		this.#filling = new Filling(options.largeRecordBytes);
		if (recovery === null) this.#enter(this.#create(null, 0, 1));
		else {
			this.segments.push(...recovery.segments);
			this.#end = recovery.end;
			this.#chain = recovery.chain;
			this.#floorTurn = recovery.floorTurn;
		}
	}

	stats(): Omit<LogStorageStats, "firstIndex"> {
		return {
			syncs: this.#syncs,
			syncMaxMs: this.#syncMaxMs,
			syncTotalMs: this.#syncTotalMs,
			bytesWritten: this.#bytesWritten,
			segments: this.segments.length,
			bytesHeld: this.#bytesHeld(),
		};
	}

	/** The open segment with that ordinal. */
	segment(ordinal: number): Segment {
		const first = (this.segments[0] as Segment).header.ordinal;
		return this.segments[ordinal - first] as Segment;
	}

	/**
	 * Nothing was written to the last segment yet, although it was named: a crash fell between. The next record begins
	 * it, as after a cut.
	 */
	get isFresh(): boolean {
		return this.#end === dataStart && this.#last.header.ordinal > 1;
	}

	/** Whether a record with these items fits only into a segment to come. */
	needsCut(items: readonly Item[]): boolean {
		const { size } = this.#last.header;
		return this.#end + recordBytes(items) + sealBytes > size;
	}

	/**
	 * Begins a segment with room for a record with these items, then seals the one before: in this order, so that a
	 * segment that is named is there (P14). `baseIndex` is the index of the log's next entry.
	 */
	cut(items: readonly Item[], baseIndex: number): void {
		const next = this.#create(this.#last, recordBytes(items), baseIndex);
		this.#put(RecordType.seal, [sealItem(next.header.id)]);
		this.#enter(next);
	}

	/** Makes one record durable. */
	append(items: readonly Item[]): WrittenRecord {
		const segment = this.#last.header.ordinal;
		return { segment, items: this.#put(RecordType.group, items) };
	}

	/**
	 * Fills up to `bytes` of the next segment, once this one is a quarter full, and where that is worth it; true while
	 * there is more to do.
	 */
	prepare(bytes: number): boolean {
		const { size } = this.#last.header;
		const isTime = this.#end * 4 >= size && this.#filling.isWorthwhile;
		return isTime && this.#next.prepare(bytes);
	}

	/**
	 * The log begins with the segment of that ordinal from now on: those before are on their way out. Durable on return;
	 * false when nothing has changed, as there is nothing before it, or the disk is too full to note it.
	 */
	dropBefore(ordinal: number): boolean {
		const count = this.segments.findIndex(
			({ header }) => header.ordinal === ordinal,
		);
		const first = this.segments[count];
		if (first === undefined || count === 0) return false;
		if (!markFirst(this.#options, first)) return false;
		this.#removal.add(this.segments.splice(0, count));
		return true;
	}

	/** Frees some of what was dropped; true while there is more to do. */
	removeSome(): boolean {
		if (this.#removal.bytes === 0) return false;
		const isMore = this.#removal.step();
		this.#next.tryAgain();
		return isMore;
	}

	/**
	 * Notes in the segment how far it is durable; without a sync. Without room either: a segment that was not filled has no
	 * blocks for it yet, and the note may lag.
	 */
	markFloor(): void {
		if (this.#markedFloor === this.#end) return;
		try {
			writeFloor(this.#last, this.#end, this.#floorTurn);
		} catch (error) {
			if (isFull(error)) return;
			throw error;
		}
		this.#floorTurn += 1;
		this.#markedFloor = this.#end;
	}

	/** Notes the floor for good and gives back what was prepared. */
	settle(): void {
		this.markFloor();
		this.#sync();
		this.#next.discard();
		while (this.#removal.step());
	}

	closeFiles(): void {
		this.#removal.closeFiles();
		for (const { file } of this.segments) file.close();
	}

	get #last(): Segment {
		return this.segments.at(-1) as Segment;
	}

	#bytesHeld(): number {
		const sizes = this.segments.map(({ header }) => header.size);
		return sizes.reduce(
			(sum, size) => sum + size,
			this.#next.filledBytes + this.#removal.bytes,
		);
	}

	#enter(segment: Segment): void {
		this.segments.push(segment);
		this.#filling.turn();
		this.#end = dataStart;
		this.#chain = segment.headerCrc;
		this.#markedFloor = 0;
		this.#floorTurn = 0;
	}

	#create(before: Segment | null, bytes: number, baseIndex: number): Segment {
		const { disk, directory, clusterId, nodeId } = this.#options;
		const needed = roundUp(dataStart + bytes + sealBytes, pageBytes);
		try {
			const { file, size } = this.#next.take(
				needed,
				this.#filling.isWorthwhile,
			);
			const header = {
				id: (this.#options.newId ?? randomId)(),
				previousId: before?.header.id ?? Buffer.alloc(idBytes),
				ordinal: (before?.header.ordinal ?? 0) + 1,
				baseIndex,
				size,
				binding: bindingOf(clusterId, nodeId),
			};
			return beginSegment({ disk, directory, file, header });
		} catch (error) {
			throw isFull(error) ? fullDisk(this.#options, needed, error) : error;
		}
	}

	/** One write, one fdatasync, then it counts. */
	#put(type: number, items: readonly Item[]): readonly ItemPlace[] {
		const segment = this.#last;
		const bytes = recordBytes(items);
		const target = this.#room(bytes);
		const record = encodeRecord(target, type, items, {
			seed: segment.seed,
			previous: this.#chain,
			offset: this.#end,
		});
		this.#write(target);
		this.#filling.record(bytes);
		this.#bytesWritten += bytes;
		this.#end = record.end;
		this.#chain = record.crc;
		return record.items;
	}

	#write(record: Buffer): void {
		try {
			this.#last.file.writeAt(record, this.#end);
			this.#sync();
		} catch (error) {
			// A segment that was not filled has no blocks of its own yet; some file systems look for them when it is synced.
			if (!isFull(error)) throw error;
			throw fullDisk(this.#options, record.length, error);
		}
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
