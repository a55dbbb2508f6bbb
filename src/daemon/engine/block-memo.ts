import { blockBytes, encodeBlock, entryBytes } from "../../raft/codec.js";
import type { Entry } from "../../raft/types.js";

interface Encoded {
	readonly entries: readonly Entry[];
	readonly block: Uint8Array;
}

/** A turn encodes one range for the disk, and few others for followers that lag. */
const kept = 8;
const nothing = new Uint8Array(0);

/**
 * Entries as bytes, encoded once for the disk and for every follower, and not at all where they came in as bytes. A part
 * of a range that is known is a view of its block.
 */
export class BlockMemo {
	readonly #ring: Encoded[] = [];
	#next = 0;
	encodings = 0;

	/** `block` holds exactly `entries`. */
	add(entries: readonly Entry[], block: Uint8Array): void {
		this.#ring[this.#next] = { entries, block };
		this.#next = (this.#next + 1) % kept;
	}

	blockOf(entries: readonly Entry[]): Uint8Array {
		if (entries.length === 0) return nothing;
		for (const encoded of this.#ring) {
			const part = partOf(encoded, entries);
			if (part !== null) return part;
		}
		const block = new Uint8Array(blockBytes(entries));
		encodeBlock(entries, block, 0);
		this.encodings++;
		this.add(entries, block);
		return block;
	}
}

/** Entries never change, and between two that are the same in one log all are the same. */
function partOf(
	{ entries: whole, block }: Encoded,
	entries: readonly Entry[],
): Uint8Array | null {
	const first = entries[0] as Entry;
	const start = first.index - (whole[0] as Entry).index;
	const end = start + entries.length;
	if (start < 0 || end > whole.length) return null;
	if (whole[start] !== first || whole[end - 1] !== entries.at(-1)) return null;
	if (start === 0 && end === whole.length) return block;
	let offset = 0;
	for (let i = 0; i < start; i++) offset += entryBytes(whole[i] as Entry);
	return block.subarray(offset, offset + blockBytes(entries));
}
