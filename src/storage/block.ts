import { entryHeaderBytes } from "../raft/codec.js";

/** One entry's place in a block; `at` and `end` are byte offsets in it, header included. */
type VisitEntry = (
	index: number,
	term: number,
	kind: number,
	at: number,
	end: number,
) => void;

/**
 * Walks the entries of a block (raft/codec.ts) without making an object of each: a log of a million is opened this way.
 * Returns the index behind the last. Throws a RangeError unless the block holds the entries from `first` on, to `last`
 * unless that is null.
 */
export function walkBlock(
	block: Buffer,
	first: number,
	last: number | null,
	visit: VisitEntry,
): number {
	let at = 0;
	let index = first;
	while (at < block.length) {
		if (block.length - at < entryHeaderBytes)
			throw new RangeError(`entry header cut short at offset ${at}`);
		const found = block.readUIntLE(at, 6);
		const end = at + entryHeaderBytes + block.readUInt32LE(at + 14);
		if (end > block.length)
			throw new RangeError(`entry data cut short at offset ${at}`);
		if (found !== index)
			throw new RangeError(`entry ${found} in the place of ${index}`);
		visit(
			index,
			block.readUIntLE(at + 6, 6),
			block[at + 12] as number,
			at,
			end,
		);
		index += 1;
		at = end;
	}
	if (last !== null && index !== last + 1)
		throw new RangeError(`the block ends with ${index - 1}, not ${last}`);
	return index;
}

/** A Buffer over the same bytes. */
export function bufferOf(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
