import { crc32 } from "node:zlib";
import { entryHeaderBytes } from "../raft/codec.js";
import type { BlockIndex, BlockPlace } from "./block-index.js";
import { damagedLog } from "./damage.js";
import type { ReadableFile } from "./disk.js";
import { maxGroupBytes } from "./group.js";
import type { Segment } from "./segment.js";

interface BlockSource {
	readonly blocks: BlockIndex;
	readonly directory: string;
	readonly nodeId: string;
	/** The segment with that ordinal. */
	segment(
		ordinal: number,
	): Pick<Segment, "name" | "seed"> & { readonly file: ReadableFile };
}

/** A stored block, checked, and how far it was read: its next reader goes on from there. */
interface StoredBlock {
	readonly segment: number;
	readonly offset: number;
	readonly bytes: Buffer;
	nextIndex: number;
	nextAt: number;
}

/** For two followers that lag, each in a place of its own. */
const maxKept = 2;
/** What a single larger batch takes is not kept. */
const maxKeptBytes = 2 * maxGroupBytes;

/**
 * Reads entries back. A stored block is checked whole whatever is wanted of it, and may be many times what a follower
 * takes at once: the last ones that were read in part are kept.
 */
export class BlockReader {
	readonly #source: BlockSource;
	/** The one used last comes first. */
	#kept: StoredBlock[] = [];

	constructor(source: BlockSource) {
		this.#source = source;
	}

	/**
	 * Entries `first` to at most `last` as one block in a buffer of its own, of about `maxBytes` or one entry. Throws a
	 * RangeError for an index that the log does not have, an OperatorError when the disk gives back other bytes than it
	 * was given.
	 */
	read(first: number, last: number, maxBytes: number): Uint8Array<ArrayBuffer> {
		const { blocks } = this.#source;
		if (first < blocks.firstIndex)
			throw new RangeError(
				`the log has no entry ${first} any more: it begins with ${blocks.firstIndex}`,
			);
		const parts: Buffer[] = [];
		let index = first;
		let bytes = 0;
		while (index <= last) {
			const place = blocks.find(index);
			if (place === null) break;
			const to = Math.min(last, place.last);
			// The first entry goes however large it is, or a follower that needs it would wait for ever.
			const found = this.#part(place, index, to, maxBytes - bytes, bytes === 0);
			parts.push(found.bytes);
			bytes += found.bytes.length;
			index = found.next;
			if (index <= to || bytes >= maxBytes) break;
		}
		if (index === first) throw new RangeError(`the log has no entry ${first}`);
		return joined(parts, bytes);
	}

	/** The entries from `from` to at most `to` that fit into `room`; the first one also when it does not, if `always`. */
	#part(
		place: BlockPlace,
		from: number,
		to: number,
		room: number,
		always: boolean,
	): { bytes: Buffer; next: number } {
		const stored = this.#stored(place, from);
		const start = positionOf(stored, from);
		let at = start;
		let next = from;
		while (next <= to) {
			const end = endOfEntry(stored.bytes, at);
			if (end - start > room && !(always && next === from)) break;
			at = end;
			next += 1;
		}
		stored.nextIndex = next;
		stored.nextAt = at;
		this.#keep(stored, at < stored.bytes.length);
		return { bytes: stored.bytes.subarray(start, at), next };
	}

	#stored(place: BlockPlace, from: number): StoredBlock {
		const { segment, offset, first } = place;
		const kept = this.#kept.find(
			(one) => one.segment === segment && one.offset === offset,
		);
		if (kept === undefined) {
			const bytes = readStored(this.#source, place);
			return { segment, offset, bytes, nextIndex: first, nextAt: 0 };
		}
		if (kept.nextIndex > from) {
			kept.nextIndex = first;
			kept.nextAt = 0;
		}
		return kept;
	}

	/** What was read to its end is not wanted again by who reads in order. */
	#keep(stored: StoredBlock, isWanted: boolean): void {
		const others = this.#kept.filter((one) => one !== stored);
		const keeps = isWanted && stored.bytes.length <= maxKeptBytes;
		this.#kept = (keeps ? [stored, ...others] : others).slice(0, maxKept);
	}
}

/** Where the entry `index` begins. */
function positionOf(stored: StoredBlock, index: number): number {
	let at = stored.nextAt;
	for (let skip = index - stored.nextIndex; skip > 0; skip -= 1)
		at = endOfEntry(stored.bytes, at);
	return at;
}

/** The block's checksum is right, so its lengths are. */
function endOfEntry(block: Buffer, at: number): number {
	return at + entryHeaderBytes + block.readUInt32LE(at + 14);
}

function joined(
	parts: readonly Buffer[],
	bytes: number,
): Uint8Array<ArrayBuffer> {
	const block = new Uint8Array(bytes);
	let at = 0;
	for (const one of parts) {
		block.set(one, at);
		at += one.length;
	}
	return block;
}

function readStored(source: BlockSource, place: BlockPlace): Buffer {
	const segment = source.segment(place.segment);
	const stored = Buffer.allocUnsafe(place.bytes);
	const got = segment.file.readAt(stored, place.offset);
	if (got === place.bytes && crc32(stored, segment.seed) === place.crc)
		return stored;
	throw damagedLog({
		nodeId: source.nodeId,
		file: `${source.directory}/${segment.name}`,
		offset: place.offset,
		index: place.first - 1,
		what: "the entries read back are not those that were written",
	});
}
