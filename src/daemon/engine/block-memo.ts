import { blockBytes, encodeBlock, entryBytes } from "../../raft/codec.js";
import type { Entry } from "../../raft/types.js";

interface Encoded {
	readonly entries: readonly Entry[];
	readonly block: Uint8Array;
}

/** A turn encodes one range for the disk, and few others for followers that lag; a follower's turn receives several. */
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

	/** In as many pieces as they came in: what a follower writes at once are often several messages of its leader. */
	blocksOf(entries: readonly Entry[]): readonly Uint8Array[] {
		const blocks: Uint8Array[] = [];
		let rest = entries;
		while (rest.length > 0) {
			const count = this.#knownFrom(rest);
			blocks.push(this.blockOf(rest.slice(0, count)));
			rest = rest.slice(count);
		}
		return blocks;
	}

	/** How many of `entries`, from the first on, lie in one block; all, where the first is not known. */
	#knownFrom(entries: readonly Entry[]): number {
		const first = entries[0] as Entry;
		for (const { entries: whole } of this.#ring) {
			const start = first.index - (whole[0] as Entry).index;
			if (start < 0 || whole[start] !== first) continue;
			return Math.min(whole.length - start, entries.length);
		}
		return entries.length;
	}

	blockOf(entries: readonly Entry[]): Uint8Array {
		if (entries.length === 0) return nothing;
		for (const encoded of this.#ring) {
			const part = partOf(encoded, entries);
			if (part !== null) return part;
		}
		const block = Buffer.allocUnsafeSlow(blockBytes(entries));
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
