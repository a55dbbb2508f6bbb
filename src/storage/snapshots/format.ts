import { crc32 } from "node:zlib";
import { SnapshotProblem } from "./problem.js";

/**
 * The bytes of a snapshot's file (docs/formats.md): header, description, content in chunks of one size, trailer. CRCs
 * start from that of the file's id, and a chunk's covers its number: no part passes for another one, of this file or of
 * any other (P13). Where everything lies follows from the header and the file's size alone, so every length is known
 * before it is read, and one that says otherwise is damage (P18).
 */
export const formatVersion = 1;
export const idBytes = 16;
export const headerBytes = 40;
export const chunkHeaderBytes = 12;
export const trailerBytes = 56;
export const defaultChunkBytes = 1024 * 1024;
export const maxChunkBytes = 16 * 1024 * 1024;
export const maxDescriptionBytes = 1024 * 1024;
/** Header, an empty description with its CRC, trailer. */
export const minFileBytes = headerBytes + 4 + trailerBytes;

const beginMagic = Buffer.from("RAFTDSNP");
const endMagic = Buffer.from("RAFTDEND");
const crcOffset = 36;
const trailerCrcOffset = 44;

export interface SnapshotHeader {
	/** Random, never reused. */
	readonly id: Buffer;
	/** CRC of the id. */
	readonly seed: number;
	/** Of content, in each chunk but the last. */
	readonly chunkBytes: number;
	readonly descriptionBytes: number;
	/** Where the first chunk begins. */
	readonly contentStart: number;
}

/** Where things lie in a file of a certain size. */
export interface SnapshotLayout {
	readonly chunks: number;
	readonly contentBytes: number;
	readonly trailerStart: number;
}

export interface SnapshotTrailer {
	readonly contentBytes: number;
	readonly chunks: number;
	readonly sha256: Buffer;
}

/** The header, the description and its CRC, as they lie one behind the other. */
export function encodeHead(
	id: Buffer,
	chunkBytes: number,
	description: Uint8Array,
): Buffer {
	const target = Buffer.alloc(headerBytes + description.length + 4);
	target.set(beginMagic, 0);
	target.writeUInt32LE(formatVersion, 8);
	target.writeUInt32LE(chunkBytes, 12);
	target.set(id, 16);
	target.writeUInt32LE(description.length, 32);
	target.writeUInt32LE(crc32(target.subarray(0, crcOffset)), crcOffset);
	target.set(description, headerBytes);
	const crc = crc32(description, crc32(id));
	target.writeUInt32LE(crc, headerBytes + description.length);
	return target;
}

/** Throws a SnapshotProblem unless this release can read the file that begins like this. */
export function decodeHeader(bytes: Buffer): SnapshotHeader {
	if (!bytes.subarray(0, 8).equals(beginMagic))
		throw new SnapshotProblem(0, "it does not begin like a snapshot");
	if (crc32(bytes.subarray(0, crcOffset)) !== bytes.readUInt32LE(crcOffset))
		throw new SnapshotProblem(0, "its header is damaged");
	const version = bytes.readUInt32LE(8);
	if (version !== formatVersion)
		throw new SnapshotProblem(
			8,
			`it is of format ${version}, and this release reads format ${formatVersion}`,
		);
	const chunkBytes = bytes.readUInt32LE(12);
	if (chunkBytes < 1 || chunkBytes > maxChunkBytes)
		throw new SnapshotProblem(12, `its chunks are of ${chunkBytes} bytes`);
	const descriptionBytes = bytes.readUInt32LE(32);
	if (descriptionBytes > maxDescriptionBytes)
		throw new SnapshotProblem(
			32,
			`its description is of ${descriptionBytes} bytes`,
		);
	const id = Buffer.from(bytes.subarray(16, 16 + idBytes));
	const contentStart = headerBytes + descriptionBytes + 4;
	return { id, seed: crc32(id), chunkBytes, descriptionBytes, contentStart };
}

/** The description's bytes, from those behind the header up to the first chunk. */
export function checkDescription(
	header: SnapshotHeader,
	bytes: Buffer,
): Uint8Array {
	const { descriptionBytes, seed } = header;
	const description = bytes.subarray(0, descriptionBytes);
	if (crc32(description, seed) !== bytes.readUInt32LE(descriptionBytes))
		throw new SnapshotProblem(headerBytes, "its description is damaged");
	return description;
}

/** Throws a SnapshotProblem when no file that begins with `header` is of that size. */
export function layoutOf(
	{ chunkBytes, contentStart }: SnapshotHeader,
	fileBytes: number,
): SnapshotLayout {
	const room = fileBytes - contentStart - trailerBytes;
	const chunks = Math.ceil(room / (chunkBytes + chunkHeaderBytes));
	const contentBytes = room - chunks * chunkHeaderBytes;
	const lastBytes = contentBytes - (chunks - 1) * chunkBytes;
	if (room < 0 || chunks >= 2 ** 32 || (chunks > 0 && lastBytes < 1))
		throw new SnapshotProblem(fileBytes, "it is cut short");
	return { chunks, contentBytes, trailerStart: fileBytes - trailerBytes };
}

/** Where a chunk lies, and how long it is, its header included. */
export function chunkPlace(
	{ chunkBytes, contentStart }: SnapshotHeader,
	{ chunks, contentBytes }: SnapshotLayout,
	number: number,
): { readonly offset: number; readonly bytes: number } {
	const offset = contentStart + number * (chunkHeaderBytes + chunkBytes);
	const content =
		number < chunks - 1 ? chunkBytes : contentBytes - number * chunkBytes;
	return { offset, bytes: chunkHeaderBytes + content };
}

/** Fills in the header of a chunk whose content is in its place already. */
export function sealChunk(chunk: Buffer, number: number, seed: number): void {
	chunk.writeUInt32LE(number, 4);
	chunk.writeUInt32LE(chunk.length - chunkHeaderBytes, 8);
	chunk.writeUInt32LE(crc32(chunk.subarray(4), seed), 0);
}

/** The content of chunk `number`, which lies at `offset`. */
export function checkChunk(
	chunk: Buffer,
	number: number,
	seed: number,
	offset: number,
): Buffer {
	const whole =
		chunk.readUInt32LE(4) === number &&
		chunk.readUInt32LE(8) === chunk.length - chunkHeaderBytes &&
		crc32(chunk.subarray(4), seed) === chunk.readUInt32LE(0);
	if (!whole) throw new SnapshotProblem(offset, `chunk ${number} is damaged`);
	return chunk.subarray(chunkHeaderBytes);
}

export function encodeTrailer(trailer: SnapshotTrailer, seed: number): Buffer {
	const target = Buffer.alloc(trailerBytes);
	target.writeUIntLE(trailer.contentBytes, 0, 6);
	target.writeUInt32LE(trailer.chunks, 8);
	target.set(trailer.sha256, 12);
	target.writeUInt32LE(
		crc32(target.subarray(0, trailerCrcOffset), seed),
		trailerCrcOffset,
	);
	target.set(endMagic, trailerCrcOffset + 4);
	return target;
}

/** The trailer of a file with this layout. */
export function decodeTrailer(
	bytes: Buffer,
	seed: number,
	{ chunks, contentBytes, trailerStart }: SnapshotLayout,
): SnapshotTrailer {
	const whole =
		bytes.subarray(trailerCrcOffset + 4).equals(endMagic) &&
		crc32(bytes.subarray(0, trailerCrcOffset), seed) ===
			bytes.readUInt32LE(trailerCrcOffset);
	if (!whole)
		throw new SnapshotProblem(
			trailerStart,
			"its trailer is damaged, or the file is cut short",
		);
	if (
		bytes.readUIntLE(0, 6) !== contentBytes ||
		bytes.readUInt32LE(8) !== chunks
	)
		throw new SnapshotProblem(trailerStart, "its trailer tells other sizes");
	const sha256 = Buffer.from(bytes.subarray(12, trailerCrcOffset));
	return { contentBytes, chunks, sha256 };
}
