/** Where a block of entries lies on the disk. `bytes` and `crc` are those of the whole block as it was written. */
export interface BlockPlace {
	readonly first: number;
	/** May be less than what the block holds: a later block took the place of the rest. */
	readonly last: number;
	/** The ordinal of its segment. */
	readonly segment: number;
	readonly offset: number;
	readonly bytes: number;
	readonly crc: number;
}

/**
 * Finds the block that holds an index. Columns of numbers, not objects: a log of single entries has as many blocks as
 * entries, and this way each takes 48 bytes.
 */
export class BlockIndex {
	readonly #first: number[] = [];
	readonly #last: number[] = [];
	readonly #segment: number[] = [];
	readonly #offset: number[] = [];
	readonly #bytes: number[] = [];
	readonly #crc: number[] = [];
	readonly #columns = [
		this.#first,
		this.#last,
		this.#segment,
		this.#offset,
		this.#bytes,
		this.#crc,
	];
	#base: number;

	/** `base` is the index behind which the log begins. */
	constructor(base: number) {
		this.#base = base;
	}

	/** The first index of the log; lastIndex + 1 when it is empty. */
	get firstIndex(): number {
		return this.#first[0] ?? this.#base + 1;
	}

	/** The last index of the log; when it is empty, that behind which it begins. */
	get lastIndex(): number {
		return this.#last.at(-1) ?? this.#base;
	}

	get isEmpty(): boolean {
		return this.#first.length === 0;
	}

	/** Adds a block behind the others; what they hold from `place.first` on is forgotten. */
	add(place: BlockPlace): void {
		if (place.first <= this.lastIndex) this.#cut(place.first);
		this.#first.push(place.first);
		this.#last.push(place.last);
		this.#segment.push(place.segment);
		this.#offset.push(place.offset);
		this.#bytes.push(place.bytes);
		this.#crc.push(place.crc);
	}

	/** Forgets all blocks; the log begins anew behind `index`. */
	reset(index: number): void {
		this.#base = index;
		for (const column of this.#columns) column.length = 0;
	}

	/** The block that holds `index`, or null. */
	find(index: number): BlockPlace | null {
		const row = this.#rowOf(index);
		if (row === this.#first.length || at(this.#first, row) > index) return null;
		return {
			first: at(this.#first, row),
			last: at(this.#last, row),
			segment: at(this.#segment, row),
			offset: at(this.#offset, row),
			bytes: at(this.#bytes, row),
			crc: at(this.#crc, row),
		};
	}

	/** The segment of the first entry behind `index`, or of the last entry when there is none; null for an empty log. */
	segmentBehind(index: number): number | null {
		if (this.isEmpty) return null;
		const row = this.#rowOf(index + 1);
		return at(this.#segment, Math.min(row, this.#first.length - 1));
	}

	/** Forgets the blocks in segments before `segment`. At least one must be left. */
	dropBefore(segment: number): void {
		const count = this.#segment.findIndex((one) => one >= segment);
		if (count === -1)
			throw new RangeError(`no entry would be left from segment ${segment} on`);
		for (const column of this.#columns) column.splice(0, count);
	}

	/** The first block that ends at `index` or behind it. */
	#rowOf(index: number): number {
		let low = 0;
		let high = this.#first.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (at(this.#last, middle) < index) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	#cut(first: number): void {
		let count = this.#first.length;
		while (count > 0 && at(this.#first, count - 1) >= first) count -= 1;
		for (const column of this.#columns) column.length = count;
		if (count > 0 && at(this.#last, count - 1) >= first)
			this.#last[count - 1] = first - 1;
	}
}

function at(column: readonly number[], row: number): number {
	return column[row] as number;
}
