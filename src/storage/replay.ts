import { decodeBlock } from "../raft/codec.js";
import {
	type Entry,
	EntryKind,
	type HardState,
	type TermRange,
} from "../raft/types.js";
import { walkBlock } from "./block.js";
import { BlockIndex } from "./block-index.js";
import { decodeHardState, ItemKind, type RecordPlace } from "./record.js";

/** What the records of a log amount to when they are read in order. */
export class Replay {
	readonly blocks = new BlockIndex();
	readonly terms: TermRange[] = [];
	readonly configurations: Entry[] = [];
	hardState: HardState = { term: 0, votedFor: null, commit: 0 };

	/**
	 * Takes in a whole record of segment number `segment`. Throws a RangeError when its contents, though whole, make
	 * no sense: then a program wrote them wrong, and no disk is to blame.
	 */
	record(bytes: Buffer, record: RecordPlace, segment: number): void {
		for (const item of record.items) {
			const content = bytes.subarray(item.offset, item.offset + item.bytes);
			if (item.kind === ItemKind.hardState)
				this.hardState = decodeHardState(content);
			else if (item.kind === ItemKind.entries) {
				this.#entries(content, item.first, item.last);
				const { first, last, offset, crc } = item;
				this.blocks.add({
					first,
					last,
					segment,
					offset,
					bytes: item.bytes,
					crc,
				});
			} else if (item.kind !== ItemKind.next)
				throw new RangeError(
					`a record has an item of unknown kind ${item.kind}`,
				);
		}
	}

	#entries(block: Buffer, first: number, last: number): void {
		const { terms, configurations } = this;
		if (first < 1 || first > this.blocks.lastIndex + 1)
			throw new RangeError(`entry ${first} follows ${this.blocks.lastIndex}`);
		while ((terms.at(-1)?.first ?? 0) >= first) terms.pop();
		while ((configurations.at(-1)?.index ?? 0) >= first) configurations.pop();
		let newest = terms.at(-1)?.term ?? 0;
		walkBlock(block, first, last, (index, term, kind, at, end) => {
			if (term < newest)
				throw new RangeError(`entry ${index} has term ${term} after ${newest}`);
			if (term > newest) terms.push({ term, first: index });
			newest = term;
			if (kind === EntryKind.configuration)
				// A copy: the bytes around it are reused for the next segment.
				configurations.push(
					...decodeBlock(Uint8Array.from(block.subarray(at, end))),
				);
		});
	}
}
