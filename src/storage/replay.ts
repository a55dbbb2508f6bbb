import { decodeBlock } from "../raft/codec.js";
import {
	type Entry,
	EntryKind,
	type HardState,
	type TermRange,
} from "../raft/types.js";
import { walkBlock } from "./block.js";
import { BlockIndex } from "./block-index.js";
import type { LogReset } from "./log-storage.js";
import {
	decodeHardState,
	decodeReset,
	ItemKind,
	type ItemPlace,
	type RecordPlace,
} from "./record.js";
import type { SegmentHeader } from "./segment.js";

/** Where the newest of what every log needs lies: the segments from the older of them on must be kept. */
export interface StatePlaces {
	/** The ordinal of the segment with the newest hard state; null when there is none yet. */
	readonly hardState: number | null;
	readonly reset: number | null;
}

/** What the records of a log amount to when they are read in order. */
export class Replay {
	readonly blocks: BlockIndex;
	readonly terms: TermRange[] = [];
	readonly configurations: Entry[] = [];
	hardState: HardState = { term: 0, votedFor: null, commit: 0 };
	/** The newest; entries may have followed. */
	reset: LogReset | null = null;
	places: StatePlaces = { hardState: null, reset: null };

	/** `first` is the header of the segment that the log begins with. */
	constructor({ baseIndex }: Pick<SegmentHeader, "baseIndex">) {
		this.blocks = new BlockIndex(baseIndex - 1);
	}

	/** The term of the last index when no entry tells it; 0 when one does, or nothing ever was. */
	get resetTerm(): number {
		return this.blocks.isEmpty ? (this.reset?.term ?? 0) : 0;
	}

	/**
	 * Takes in a whole record of the segment with that ordinal. Throws a RangeError when its contents, though whole, make
	 * no sense: then a program wrote them wrong, and no disk is to blame.
	 */
	record(bytes: Buffer, record: RecordPlace, segment: number): void {
		for (const item of record.items) {
			const content = bytes.subarray(item.offset, item.offset + item.bytes);
			if (item.kind === ItemKind.entries) this.#entries(content, item, segment);
			else if (item.kind === ItemKind.hardState) {
				this.hardState = decodeHardState(content);
				this.places = { ...this.places, hardState: segment };
			} else if (item.kind === ItemKind.reset)
				this.#reset(decodeReset(content), segment);
			else if (item.kind !== ItemKind.next)
				throw new RangeError(
					`a record has an item of unknown kind ${item.kind}`,
				);
		}
		const { commit } = this.hardState;
		const { lastIndex } = this.blocks;
		if (commit > lastIndex)
			throw new RangeError(
				`commit ${commit} is beyond the last entry, ${lastIndex}`,
			);
	}

	#reset(reset: LogReset, segment: number): void {
		if (reset.index < this.hardState.commit)
			throw new RangeError(
				`a reset to ${reset.index} is behind commit ${this.hardState.commit}`,
			);
		this.blocks.reset(reset.index);
		this.terms.length = 0;
		this.configurations.length = 0;
		this.reset = reset;
		this.places = { ...this.places, reset: segment };
	}

	#entries(block: Buffer, item: ItemPlace, segment: number): void {
		const { first, last } = item;
		const { terms, configurations } = this;
		const { lastIndex } = this.blocks;
		if (first <= (this.reset?.index ?? 0) || first > lastIndex + 1)
			throw new RangeError(`entry ${first} follows ${lastIndex}`);
		while ((terms.at(-1)?.first ?? 0) >= first) terms.pop();
		while ((configurations.at(-1)?.index ?? 0) >= first) configurations.pop();
		let newest = terms.at(-1)?.term ?? this.reset?.term ?? 0;
		walkBlock(block, first, last, (index, term, kind, at, end) => {
			if (term < newest)
				throw new RangeError(`entry ${index} has term ${term} after ${newest}`);
			if (term > newest || terms.length === 0)
				terms.push({ term, first: index });
			newest = term;
			if (kind === EntryKind.configuration)
				// A copy: the bytes around it are reused for the next segment.
				configurations.push(
					...decodeBlock(Uint8Array.from(block.subarray(at, end))),
				);
		});
		const { offset, bytes, crc } = item;
		this.blocks.add({ first, last, segment, offset, bytes, crc });
	}
}
