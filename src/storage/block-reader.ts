import { crc32 } from "node:zlib";
import { walkBlock } from "./block.js";
import type { BlockIndex, BlockPlace } from "./block-index.js";
import { damagedLog } from "./damage.js";
import type { Segment } from "./segment.js";

interface BlockSource {
	readonly segments: readonly Segment[];
	readonly blocks: BlockIndex;
	readonly directory: string;
	readonly nodeId: string;
}

/**
 * Entries `first` to at most `last` as one block in a buffer of its own, of about `maxBytes` or one entry. Each stored
 * block that it touches is checked whole.
 */
export function readBlock(
	source: BlockSource,
	range: { first: number; last: number; maxBytes: number },
): Uint8Array<ArrayBuffer> {
	const { first, last, maxBytes } = range;
	const parts: Buffer[] = [];
	let index = first;
	let bytes = 0;
	while (index <= last) {
		const place = source.blocks.find(index);
		if (place === null) break;
		const to = Math.min(last, place.last);
		// The first entry goes however large it is, or a follower that needs it would wait for ever.
		const room = index === first ? Number.POSITIVE_INFINITY : maxBytes - bytes;
		const found = part(source, place, { index, to, room, maxBytes });
		parts.push(found.bytes);
		bytes += found.bytes.length;
		index = found.next;
		if (index <= to || bytes >= maxBytes) break;
	}
	if (index === first) throw new RangeError(`the log has no entry ${first}`);
	const block = new Uint8Array(bytes);
	let at = 0;
	for (const one of parts) {
		block.set(one, at);
		at += one.length;
	}
	return block;
}

/** The entries from `index` on that fit; the first of them has `room`, all together have `maxBytes`. */
function part(
	source: BlockSource,
	place: BlockPlace,
	wanted: { index: number; to: number; room: number; maxBytes: number },
): { bytes: Buffer; next: number } {
	const stored = readStored(source, place);
	let start = 0;
	let end = 0;
	let next = wanted.index;
	walkBlock(stored, place.first, null, (index, _term, _kind, at, behind) => {
		if (index === wanted.index) {
			start = at;
			end = at;
		}
		if (index !== next || index > wanted.to) return;
		const limit =
			index === wanted.index
				? wanted.room
				: Math.min(wanted.room, wanted.maxBytes);
		if (behind - start > limit) return;
		end = behind;
		next = index + 1;
	});
	return { bytes: stored.subarray(start, end), next };
}

function readStored(source: BlockSource, place: BlockPlace): Buffer {
	const segment = source.segments[place.segment] as Segment;
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
