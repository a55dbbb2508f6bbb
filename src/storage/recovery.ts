import type { OperatorError } from "../errors.js";
import { damagedLog } from "./damage.js";
import type { RecoveredLog } from "./log-storage.js";
import {
	contentsAreWhole,
	ItemKind,
	type RecordPlace,
	RecordType,
	readRecord,
	recordAlignment,
} from "./record.js";
import { Replay } from "./replay.js";
import { dataStart, readFloor, type Segment, segmentName } from "./segment.js";
import {
	type LogPlace,
	missing,
	openSegments,
	removeTemporary,
} from "./segment-files.js";

/** A log as it was found, ready to be written to at `end` of the last segment. */
export interface Recovery {
	readonly segments: Segment[];
	readonly replay: Replay;
	readonly end: number;
	/** CRC of the last record: the chain goes on from here. */
	readonly chain: number;
	readonly floorTurn: number;
	readonly repaired: RecoveredLog["repaired"];
}

interface RecordSpan {
	readonly segment: Segment;
	readonly offset: number;
	readonly end: number;
}

/** One segment, read. */
interface Reading {
	readonly segment: Segment;
	readonly bytes: Buffer;
	/** Behind the last good record. */
	readonly end: number;
	readonly chain: number;
	/** The last good record up to here, which may lie in an earlier segment. */
	readonly lastRecord: RecordSpan | null;
	/** The id of the next segment, if this one is sealed. */
	readonly nextId: Buffer | null;
}

/**
 * Reads the log back, by the rules of docs/formats.md: what a crash can have torn, and only that, is cut off. All other
 * damage is an OperatorError, and then nothing was changed. Null when there is no log yet.
 */
export function recover(place: LogPlace): Recovery | null {
	const segments = openSegments(place);
	if (segments.length === 0) return null;
	const recoverer = new Recoverer(place, segments);
	try {
		return recoverer.run();
	} catch (error) {
		for (const { file } of segments) file.close();
		throw error;
	}
}

class Recoverer {
	readonly #place: LogPlace;
	readonly #segments: readonly Segment[];
	readonly #replay = new Replay();

	constructor(place: LogPlace, segments: readonly Segment[]) {
		this.#place = place;
		this.#segments = segments;
	}

	run(): Recovery {
		let reading: Reading | null = null;
		for (const [number, segment] of this.#segments.entries()) {
			reading = this.#read(number, segment, reading);
			const next = this.#segments[number + 1];
			if (next === undefined) break;
			const isLastButOne = number === this.#segments.length - 2;
			if (reading.nextId === null && isLastButOne && isUnused(next))
				return this.#finish(reading, next);
			this.#checkSeal(reading, next);
		}
		return this.#finish(reading as Reading, null);
	}

	#read(number: number, segment: Segment, before: Reading | null): Reading {
		const bytes = readWhole(segment, before?.bytes);
		let lastRecord = before?.lastRecord ?? null;
		let end = dataStart;
		let chain = segment.headerCrc;
		let nextId: Buffer | null = null;
		while (nextId === null) {
			const record = readRecord(bytes, end, segment.seed);
			if (record === null || !contentsAreWhole(bytes, record, segment.seed))
				break;
			if (record.previous !== chain)
				throw this.#damage(segment, end, "a record does not follow its chain");
			try {
				this.#replay.record(bytes, record, number);
			} catch (cause) {
				throw this.#damage(segment, end, "a record makes no sense", cause);
			}
			if (record.type === RecordType.seal) nextId = sealedId(bytes, record);
			lastRecord = { segment, offset: end, end: record.end };
			chain = record.crc;
			end = record.end;
		}
		return { segment, bytes, end, chain, lastRecord, nextId };
	}

	#checkSeal(reading: Reading, next: Segment): void {
		const { segment, end, nextId } = reading;
		if (nextId === null)
			throw this.#damage(
				segment,
				end,
				`a record is unreadable although the log goes on in ${next.name}`,
			);
		if (!nextId.equals(next.header.id))
			throw this.#damage(segment, end, `${next.name} is not its successor`);
	}

	/** Judges what lies behind the last good record; only then changes anything. */
	#finish(reading: Reading, unused: Segment | null): Recovery {
		const { segment, bytes, end, chain, nextId, lastRecord } = reading;
		if (nextId !== null)
			throw missing(this.#place, segmentName(segment.header.ordinal + 1));
		const { floor, turn } = readFloor(bytes, segment.seed);
		const dirtyEnd = this.#judgeTail(reading, floor);
		const { disk, directory } = this.#place;
		removeTemporary(this.#place);
		if (unused !== null) {
			unused.file.close();
			disk.remove(`${directory}/${unused.name}`);
		}
		disk.syncDirectory(directory);
		if (dirtyEnd > end) segment.file.writeAt(Buffer.alloc(dirtyEnd - end), end);
		if (lastRecord !== null) rewrite(lastRecord);
		segment.file.sync();
		const file = `${directory}/${segment.name}`;
		const repaired =
			dirtyEnd > end ? { file, offset: end, bytes: dirtyEnd - end } : null;
		const segments = this.#segments.filter((one) => one !== unused);
		const replay = this.#replay;
		return { segments, replay, end, chain, floorTurn: turn, repaired };
	}

	/** Returns the offset behind the last byte that is not zero; at most `end` when nothing has to be cut off. */
	#judgeTail({ segment, bytes, end }: Reading, floor: number): number {
		const dirtyEnd = endOfBytes(bytes, end);
		const damaged = readRecord(bytes, end, segment.seed);
		if (damaged !== null && dirtyEnd > damaged.end)
			throw this.#damage(
				segment,
				end,
				"a record is unreadable although bytes follow it",
			);
		for (let at = end + recordAlignment; at < dirtyEnd; at += recordAlignment)
			if (readRecord(bytes, at, segment.seed) !== null)
				throw this.#damage(
					segment,
					end,
					`a record is unreadable although another follows at ${at}`,
				);
		if (floor > end)
			throw this.#damage(
				segment,
				end,
				`records are gone that were durable up to ${floor}`,
			);
		return dirtyEnd;
	}

	#damage(
		segment: Segment,
		offset: number,
		what: string,
		cause?: unknown,
	): OperatorError {
		const { directory, nodeId } = this.#place;
		const index = this.#replay.blocks.lastIndex;
		const file = `${directory}/${segment.name}`;
		return damagedLog({ nodeId, file, offset, index, what, cause });
	}
}

/**
 * Writes the last record once more. If its fsync failed, the kernel may hold it in memory, marked clean, with the disk
 * none the wiser; a new fsync alone would prove nothing (P11).
 */
function rewrite({ segment, offset, end }: RecordSpan): void {
	const bytes = Buffer.allocUnsafe(end - offset);
	segment.file.readAt(bytes, offset);
	segment.file.writeAt(bytes, offset);
	segment.file.sync();
}

function readWhole(segment: Segment, reuse: Buffer | undefined): Buffer {
	const { size } = segment.header;
	const bytes = reuse?.length === size ? reuse : Buffer.allocUnsafe(size);
	if (segment.file.readAt(bytes, 0) !== size)
		throw new RangeError(`${segment.name} became shorter while it was read`);
	return bytes;
}

function sealedId(bytes: Buffer, record: RecordPlace): Buffer {
	const next = record.items.find(({ kind }) => kind === ItemKind.next);
	const offset = next?.offset ?? 0;
	return Buffer.from(bytes.subarray(offset, offset + (next?.bytes ?? 0)));
}

/** Nothing is written to a segment before the seal that names it is durable: empty, it was cut short by a crash. */
function isUnused(segment: Segment): boolean {
	return endOfBytes(readWhole(segment, undefined), dataStart) === dataStart;
}

const zeros = Buffer.alloc(64 * 1024);

/** The offset behind the last byte that is not zero, or `from`. */
function endOfBytes(bytes: Buffer, from: number): number {
	let end = bytes.length;
	while (end > from) {
		const start = Math.max(from, end - zeros.length);
		if (!bytes.subarray(start, end).equals(zeros.subarray(0, end - start)))
			break;
		end = start;
	}
	while (end > from && bytes[end - 1] === 0) end -= 1;
	return end;
}
