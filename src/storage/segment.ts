import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Disk, DiskFile } from "./disk.js";

/**
 * A segment is a file of fixed size that reads as zeros before it gets its name: header in the first page, two floor slots in
 * the second and third, then records. Each has a page of its own, so that rewriting a slot can never tear the header.
 */
export const pageBytes = 4096;
export const floorSlotOffsets = [pageBytes, 2 * pageBytes] as const;
export const dataStart = 3 * pageBytes;
export const idBytes = 16;
const headerBytes = 92;
const magic = Buffer.from("RAFTDLOG");
export const formatVersion = 1;

export interface SegmentHeader {
	/** Random, never reused. */
	readonly id: Buffer;
	/** Zeros for the first segment. */
	readonly previousId: Buffer;
	/** Rises by one with each segment; also the file's name. */
	readonly ordinal: number;
	/** The index that the log's next entry had when the segment was begun. */
	readonly baseIndex: number;
	/** The file's size in bytes. It never changes: a shorter file has lost something. */
	readonly size: number;
	/** Which node of which cluster the log belongs to, as a digest. */
	readonly binding: Buffer;
}

/** An open segment. */
export interface Segment {
	readonly header: SegmentHeader;
	readonly name: string;
	readonly file: DiskFile;
	/** CRC of the id: seeds every CRC in this file. */
	readonly seed: number;
	/** CRC of the header: the chain starts here. */
	readonly headerCrc: number;
}

export function segmentName(ordinal: number): string {
	return `${String(ordinal).padStart(10, "0")}.wal`;
}

/** The ordinal in a segment's file name, or null for another name. */
export function ordinalOf(name: string): number | null {
	const digits = /^(\d{10})\.wal$/.exec(name)?.[1];
	return digits === undefined ? null : Number(digits);
}

export function seedOf(id: Buffer): number {
	return crc32(id);
}

export function bindingOf(clusterId: string, nodeId: string): Buffer {
	return createHash("sha256")
		.update(JSON.stringify([clusterId, nodeId]))
		.digest()
		.subarray(0, idBytes);
}

function encodeSegmentHeader(header: SegmentHeader): Buffer {
	const target = Buffer.alloc(headerBytes);
	target.set(magic, 0);
	target.writeUInt32LE(formatVersion, 8);
	target.set(header.id, 16);
	target.set(header.previousId, 32);
	target.writeUIntLE(header.ordinal, 48, 6);
	target.writeUIntLE(header.baseIndex, 56, 6);
	target.writeUIntLE(header.size, 64, 6);
	target.set(header.binding, 72);
	target.writeUInt32LE(crc32(target.subarray(0, 88)), 88);
	return target;
}

/** Null unless the bytes begin with a whole header; the version is returned as it is, for the caller to judge. */
export function decodeSegmentHeader(
	bytes: Buffer,
): { header: SegmentHeader; crc: number; version: number } | null {
	if (bytes.length < headerBytes || !bytes.subarray(0, 8).equals(magic))
		return null;
	const crc = bytes.readUInt32LE(88);
	if (crc32(bytes.subarray(0, 88)) !== crc) return null;
	const header = {
		id: Buffer.from(bytes.subarray(16, 32)),
		previousId: Buffer.from(bytes.subarray(32, 48)),
		ordinal: bytes.readUIntLE(48, 6),
		baseIndex: bytes.readUIntLE(56, 6),
		size: bytes.readUIntLE(64, 6),
		binding: Buffer.from(bytes.subarray(72, 88)),
	};
	return { header, crc, version: bytes.readUInt32LE(8) };
}

/**
 * Turns a synced file of zeros into the segment that `header` describes. On return header, name and directory are
 * durable: a segment that can be seen after a crash has a whole header.
 */
export function beginSegment(options: {
	readonly disk: Disk;
	readonly directory: string;
	readonly file: DiskFile;
	readonly header: SegmentHeader;
}): Segment {
	const { disk, directory, file, header } = options;
	const encoded = encodeSegmentHeader(header);
	file.writeAt(encoded, 0);
	file.sync();
	const name = segmentName(header.ordinal);
	disk.rename(file.path, `${directory}/${name}`);
	disk.syncDirectory(directory);
	const headerCrc = encoded.readUInt32LE(88);
	return { header, name, file, seed: seedOf(header.id), headerCrc };
}

/**
 * The floor is an offset in the segment up to which everything is known to be durable. It is written after the sync it
 * tells of, into the two slots in turn, and never synced for its own sake: it may lag, it never exceeds the truth.
 */
export function writeFloor(
	segment: Segment,
	floor: number,
	turn: number,
): void {
	const target = Buffer.alloc(20);
	target.writeUIntLE(floor, 4, 6);
	target.writeUIntLE(turn, 12, 6);
	target.writeUInt32LE(crc32(target.subarray(4), segment.seed), 0);
	segment.file.writeAt(target, floorSlotOffsets[turn % 2 === 0 ? 0 : 1]);
}

/** The highest floor of the slots that are whole; 0 when none is. `turn` is the one to write next. */
export function readFloor(
	bytes: Buffer,
	seed: number,
): { floor: number; turn: number } {
	let floor = 0;
	let turn = 0;
	for (const offset of floorSlotOffsets) {
		const slot = bytes.subarray(offset, offset + 20);
		if (
			slot.length < 20 ||
			crc32(slot.subarray(4), seed) !== slot.readUInt32LE(0)
		)
			continue;
		floor = Math.max(floor, slot.readUIntLE(4, 6));
		turn = Math.max(turn, slot.readUIntLE(12, 6) + 1);
	}
	return { floor, turn };
}
