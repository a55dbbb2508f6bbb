import {
	contentsAreWhole,
	ItemKind,
	type RecordPlace,
	RecordType,
	readRecord,
	recordAlignment,
} from "./record.js";
import { dataStart, type Segment } from "./segment.js";

/** What a segment's bytes hold, up to the first record that is not whole. */
export interface SegmentRecords {
	/** Behind the last good record. */
	readonly end: number;
	/** CRC of the last good record, or of the header. */
	readonly chain: number;
	readonly lastRecord: { readonly offset: number; readonly end: number } | null;
	/** The id of the next segment, if this one is sealed. */
	readonly nextId: Buffer | null;
	/** Why a record that is whole is no part of the log, which no crash explains. It lies at `end`. */
	readonly fault: { readonly what: string; readonly cause?: unknown } | null;
}

/** Reads the records of a segment in order; `take` throws a RangeError for one that makes no sense. */
export function readRecords(
	{ seed, headerCrc }: Pick<Segment, "seed" | "headerCrc">,
	bytes: Buffer,
	take: (record: RecordPlace) => void,
): SegmentRecords {
	let lastRecord: SegmentRecords["lastRecord"] = null;
	let end = dataStart;
	let chain = headerCrc;
	let nextId: Buffer | null = null;
	let fault: SegmentRecords["fault"] = null;
	while (nextId === null) {
		const record = readRecord(bytes, end, seed);
		if (record === null || !contentsAreWhole(bytes, record, seed)) break;
		if (record.previous !== chain) {
			fault = { what: "a record does not follow its chain" };
			break;
		}
		try {
			take(record);
		} catch (cause) {
			fault = { what: "a record makes no sense", cause };
			break;
		}
		if (record.type === RecordType.seal) nextId = sealedId(bytes, record);
		lastRecord = { offset: end, end: record.end };
		chain = record.crc;
		end = record.end;
	}
	return { end, chain, lastRecord, nextId, fault };
}

/** What lies behind the last good record of the last segment: something that a crash explains, or damage (P12). */
export interface Tail {
	/** Behind the last byte that is not zero; at most where the good records end when there is nothing. */
	readonly dirtyEnd: number;
	/** Why it is no torn write, as the rest of a sentence; null when it is one, or nothing. */
	readonly damage: string | null;
}

/** Judges by the rules of docs/formats.md. `floor` is the offset up to which everything is known to be durable. */
export function judgeTail(
	bytes: Buffer,
	end: number,
	{ seed, floor }: { readonly seed: number; readonly floor: number },
): Tail {
	const dirtyEnd = endOfBytes(bytes, end);
	const damaged = readRecord(bytes, end, seed);
	if (damaged !== null && dirtyEnd > damaged.end)
		return {
			dirtyEnd,
			damage: "a record is unreadable although bytes follow it",
		};
	for (let at = end + recordAlignment; at < dirtyEnd; at += recordAlignment)
		if (readRecord(bytes, at, seed) !== null)
			return {
				dirtyEnd,
				damage: `a record is unreadable although another follows at ${at}`,
			};
	const damage =
		floor > end ? `records are gone that were durable up to ${floor}` : null;
	return { dirtyEnd, damage };
}

/** Nothing is written to a segment before the seal that names it is durable: empty, it was cut short by a crash. */
export function holdsNothing(bytes: Buffer): boolean {
	return endOfBytes(bytes, dataStart) === dataStart;
}

function sealedId(bytes: Buffer, record: RecordPlace): Buffer {
	const next = record.items.find(({ kind }) => kind === ItemKind.next);
	const offset = next?.offset ?? 0;
	return Buffer.from(bytes.subarray(offset, offset + (next?.bytes ?? 0)));
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
