import type { OperatorError } from "../errors.js";
import { damagedLog } from "./damage.js";
import type { ReadableFile } from "./disk.js";
import type { RecoveredLog } from "./log-storage.js";
import { type LogPlace, removeTemporary } from "./marker.js";
import { Replay } from "./replay.js";
import { readFloor, type Segment, segmentName } from "./segment.js";
import { missing, openSegments } from "./segment-files.js";
import {
	holdsNothing,
	judgeTail,
	readRecords,
	type SegmentRecords,
} from "./segment-records.js";

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
interface Reading extends SegmentRecords {
	readonly segment: Segment;
	readonly bytes: Buffer;
	/** The last good record up to here, which may lie in an earlier segment. */
	readonly lastGood: RecordSpan | null;
}

/**
 * Reads the log back, by the rules of docs/formats.md: what a crash can have torn, and only that, is cut off. All other
 * damage is an OperatorError, and then nothing was changed. Null when there is no log yet.
 */
export function recover(place: LogPlace): Recovery | null {
	const { segments, leftovers } = openSegments(place);
	if (segments.length === 0) return null;
	const recoverer = new Recoverer(place, segments, leftovers);
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
	readonly #leftovers: readonly string[];
	readonly #replay: Replay;

	constructor(
		place: LogPlace,
		segments: readonly Segment[],
		leftovers: readonly string[],
	) {
		this.#place = place;
		this.#segments = segments;
		this.#leftovers = leftovers;
		this.#replay = new Replay((segments[0] as Segment).header);
	}

	run(): Recovery {
		let reading: Reading | null = null;
		for (const [number, segment] of this.#segments.entries()) {
			reading = this.#read(segment, reading);
			const next = this.#segments[number + 1];
			if (next === undefined) break;
			const isLastButOne = number === this.#segments.length - 2;
			if (reading.nextId === null && isLastButOne && isUnused(next))
				return this.#finish(reading, next);
			this.#checkSeal(reading, next);
		}
		return this.#finish(reading as Reading, null);
	}

	#read(segment: Segment, before: Reading | null): Reading {
		const { size, ordinal } = segment.header;
		const bytes = readWhole(segment.file, size, before?.bytes);
		const records = readRecords(segment, bytes, (record) =>
			this.#replay.record(bytes, record, ordinal),
		);
		const { fault, end, lastRecord } = records;
		if (fault !== null)
			throw this.#damage(segment, end, fault.what, fault.cause);
		const lastGood =
			lastRecord === null
				? (before?.lastGood ?? null)
				: { segment, ...lastRecord };
		return { ...records, segment, bytes, lastGood };
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
		const { segment, bytes, end, chain, nextId, lastGood } = reading;
		if (nextId !== null)
			throw missing(
				this.#place,
				segmentName(segment.header.ordinal + 1),
				this.#replay.blocks.lastIndex,
			);
		const { floor, turn } = readFloor(bytes, segment.seed);
		const { seed } = segment;
		const { dirtyEnd, damage } = judgeTail(bytes, end, { seed, floor });
		if (damage !== null) throw this.#damage(segment, end, damage);
		this.#tidy(unused);
		if (dirtyEnd > end) segment.file.writeAt(Buffer.alloc(dirtyEnd - end), end);
		if (lastGood !== null) rewrite(lastGood);
		segment.file.sync();
		const file = `${this.#place.directory}/${segment.name}`;
		const repaired =
			dirtyEnd > end ? { file, offset: end, bytes: dirtyEnd - end } : null;
		const segments = this.#segments.filter((one) => one !== unused);
		const replay = this.#replay;
		return { segments, replay, end, chain, floorTurn: turn, repaired };
	}

	/** Removes what an earlier process left behind. */
	#tidy(unused: Segment | null): void {
		const { disk, directory } = this.#place;
		// What log.json says may be in memory only, after a kill; what it makes needless must not go before that is sure.
		disk.syncDirectory(directory);
		for (const name of this.#leftovers) disk.remove(`${directory}/${name}`);
		removeTemporary(this.#place);
		if (unused !== null) {
			unused.file.close();
			disk.remove(`${directory}/${unused.name}`);
		}
		disk.syncDirectory(directory);
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

/** All `size` bytes of a segment, in `reuse` if that fits. */
export function readWhole(
	file: ReadableFile,
	size: number,
	reuse?: Buffer,
): Buffer {
	const bytes = reuse?.length === size ? reuse : Buffer.allocUnsafe(size);
	if (file.readAt(bytes, 0) !== size)
		throw new RangeError(`${file.path} became shorter while it was read`);
	return bytes;
}

function isUnused({ file, header }: Segment): boolean {
	return holdsNothing(readWhole(file, header.size));
}
