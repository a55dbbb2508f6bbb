import { crc32 } from "node:zlib";
import type { HardState } from "../raft/types.js";
import { checksum } from "./checksum.js";
import type { LogReset } from "./log-storage.js";

/**
 * A record is what one write puts on the disk, whole or not at all (docs/formats.md): a header, a table of items, the
 * items' contents. The header's CRC covers header and table; the table holds a CRC for each content, so that every byte
 * is summed once and an entry block can be checked by itself when it is read back.
 *
 * CRCs are seeded with the segment's random id, and the header names its own offset and its predecessor's CRC: a record
 * from another file, another place or another history never passes (P13).
 */
const recordHeaderBytes = 24;
const itemBytes = 24;
/**
 * Records begin at the bounds of sectors: the write of one never touches a sector that holds another, which a torn
 * write could take with it.
 */
export const recordAlignment = 512;

export const RecordType = {
	group: 1,
	/** The last record of a segment; names the segment that follows. */
	seal: 2,
} as const;

export const ItemKind = {
	entries: 1,
	hardState: 2,
	/** The id of the segment that follows. */
	next: 3,
	/** The log is emptied, and begins anew behind an index. */
	reset: 4,
} as const;
export type ItemKind = (typeof ItemKind)[keyof typeof ItemKind];

/** For entries, `first` and `last` are their indexes; 0 otherwise. */
export interface Item {
	readonly kind: ItemKind;
	readonly first: number;
	readonly last: number;
	/** The content, in pieces that lie one behind the other on the disk. */
	readonly parts: readonly Uint8Array[];
}

/** Where an item's content lies, as offsets in the segment. */
export interface ItemPlace {
	readonly kind: number;
	readonly first: number;
	readonly last: number;
	readonly offset: number;
	readonly bytes: number;
	readonly crc: number;
}

export interface RecordPlace {
	readonly type: number;
	readonly crc: number;
	readonly previous: number;
	/** Offset behind the record, aligned. */
	readonly end: number;
	readonly items: readonly ItemPlace[];
}

interface RecordChain {
	/** CRC of the segment's id. */
	readonly seed: number;
	/** CRC of the record before, or of the segment's header. */
	readonly previous: number;
	/** Where the record lies in its segment. */
	readonly offset: number;
}

/** The bytes that a record with these items takes, padding included. */
export function recordBytes(items: readonly Item[]): number {
	let bytes = recordHeaderBytes;
	for (const item of items) {
		bytes += itemBytes;
		for (const part of item.parts) bytes += part.length;
	}
	return align(bytes);
}

/** Writes the record to the start of `target`, which has room for `recordBytes`; the places of its items result. */
export function encodeRecord(
	target: Buffer,
	type: number,
	items: readonly Item[],
	chain: RecordChain,
): RecordPlace {
	const places: ItemPlace[] = [];
	let table = recordHeaderBytes;
	let at = recordHeaderBytes + items.length * itemBytes;
	for (const { kind, first, last, parts } of items) {
		let crc = chain.seed;
		let end = at;
		for (const part of parts) {
			crc = crc32(part, crc);
			target.set(part, end);
			end += part.length;
		}
		const bytes = end - at;
		target.writeUInt32LE(kind, table);
		target.writeUInt32LE(bytes, table + 4);
		target.writeUInt32LE(crc, table + 8);
		target.writeUIntLE(first, table + 12, 6);
		target.writeUIntLE(last, table + 18, 6);
		places.push({ kind, first, last, offset: chain.offset + at, bytes, crc });
		table += itemBytes;
		at = end;
	}
	const end = align(at);
	target.fill(0, at, end);
	target.writeUInt32LE(chain.previous, 4);
	target.writeUInt32LE(at - recordHeaderBytes, 8);
	target.writeUInt16LE(type, 12);
	target.writeUInt16LE(items.length, 14);
	target.writeUIntLE(chain.offset, 16, 6);
	target.writeUInt16LE(0, 22);
	const crc = crc32(target.subarray(4, table), chain.seed);
	target.writeUInt32LE(crc, 0);
	const { previous, offset } = chain;
	return { type, crc, previous, end: offset + end, items: places };
}

/**
 * The record at `offset` of a segment's bytes, or null unless its header and table are whole. Its contents are not
 * checked here: see `contentsAreWhole`. Every length is checked against what is there before it is used (P18).
 */
export function readRecord(
	segment: Buffer,
	offset: number,
	seed: number,
): RecordPlace | null {
	const room = segment.length - offset - recordHeaderBytes;
	if (room < 0 || segment.readUIntLE(offset + 16, 6) !== offset) return null;
	const length = segment.readUInt32LE(offset + 8);
	const count = segment.readUInt16LE(offset + 14);
	const table = offset + recordHeaderBytes;
	const contents = table + count * itemBytes;
	if (length > room || contents > table + length) return null;
	const crc = segment.readUInt32LE(offset);
	if (checksum(segment, offset + 4, contents, seed) !== crc) return null;
	const items: ItemPlace[] = [];
	let at = contents;
	for (let row = table; row < contents; row += itemBytes) {
		const item = readItem(segment, row, at);
		items.push(item);
		at += item.bytes;
	}
	if (at !== table + length) return null;
	const type = segment.readUInt16LE(offset + 12);
	const previous = segment.readUInt32LE(offset + 4);
	return { type, crc, previous, end: align(at), items };
}

function readItem(segment: Buffer, row: number, offset: number): ItemPlace {
	return {
		kind: segment.readUInt32LE(row),
		bytes: segment.readUInt32LE(row + 4),
		crc: segment.readUInt32LE(row + 8),
		first: segment.readUIntLE(row + 12, 6),
		last: segment.readUIntLE(row + 18, 6),
		offset,
	};
}

export function contentsAreWhole(
	segment: Buffer,
	record: RecordPlace,
	seed: number,
): boolean {
	return record.items.every(
		({ offset, bytes, crc }) =>
			checksum(segment, offset, offset + bytes, seed) === crc,
	);
}

const nobody = 0xffff;

/** u48 term, u48 commit, u16 length of the name voted for (0xffff: nobody), the name. */
export function encodeHardState(state: HardState): Uint8Array {
	const name =
		state.votedFor === null ? null : Buffer.from(state.votedFor, "utf8");
	if (name !== null && name.length >= nobody)
		throw new RangeError("a node's name is too long for the log");
	const target = Buffer.alloc(14 + (name?.length ?? 0));
	target.writeUIntLE(state.term, 0, 6);
	target.writeUIntLE(state.commit, 6, 6);
	target.writeUInt16LE(name?.length ?? nobody, 12);
	if (name !== null) target.set(name, 14);
	return target;
}

/** Throws a RangeError when the bytes are no hard state. */
export function decodeHardState(content: Buffer): HardState {
	const length = content.readUInt16LE(12);
	if (content.length !== 14 + (length === nobody ? 0 : length))
		throw new RangeError("the hard state has a wrong length");
	return {
		term: content.readUIntLE(0, 6),
		commit: content.readUIntLE(6, 6),
		votedFor: length === nobody ? null : content.toString("utf8", 14),
	};
}

const resetBytes = 12;

/** u48 index, u48 term. */
export function encodeReset({ index, term }: LogReset): Uint8Array {
	const target = Buffer.alloc(resetBytes);
	target.writeUIntLE(index, 0, 6);
	target.writeUIntLE(term, 6, 6);
	return target;
}

/** Throws a RangeError when the bytes are no reset. */
export function decodeReset(content: Buffer): LogReset {
	if (content.length !== resetBytes)
		throw new RangeError("the reset has a wrong length");
	return { index: content.readUIntLE(0, 6), term: content.readUIntLE(6, 6) };
}

function align(bytes: number): number {
	return Math.ceil(bytes / recordAlignment) * recordAlignment;
}
