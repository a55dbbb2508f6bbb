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

/** The numbers of a row, in this order. */
const column = { first: 0, last: 1, segment: 2, offset: 3, bytes: 4, crc: 5 };
const width = 6;

/**
 * Finds the block that holds an index. Rows of plain numbers, not objects: a log of single entries has as many blocks as
 * entries, and this way each takes 48 bytes.
 */
export class BlockIndex {
	#cells = new Float64Array(64 * width);
	#count = 0;
	#base: number;

	/** `base` is the index behind which the log begins. */
	constructor(base: number) {
		this.#base = base;
	}

	/** The first index of the log; lastIndex + 1 when it is empty. */
	get firstIndex(): number {
		return this.isEmpty ? this.#base + 1 : this.#at(0, column.first);
	}

	/** The last index of the log; when it is empty, that behind which it begins. */
	get lastIndex(): number {
		return this.isEmpty ? this.#base : this.#at(this.#count - 1, column.last);
	}

	get isEmpty(): boolean {
		return this.#count === 0;
	}

	/** Adds a block behind the others; what they hold from `place.first` on is forgotten. */
	add(place: BlockPlace): void {
		if (place.first <= this.lastIndex) this.#cut(place.first);
		const at = this.#count * width;
		if (at === this.#cells.length) this.#resize(2 * at);
		const cells = this.#cells;
		cells[at] = place.first;
		cells[at + column.last] = place.last;
		cells[at + column.segment] = place.segment;
		cells[at + column.offset] = place.offset;
		cells[at + column.bytes] = place.bytes;
		cells[at + column.crc] = place.crc;
		this.#count += 1;
	}

	/** Forgets all blocks; the log begins anew behind `index`. */
	reset(index: number): void {
		this.#base = index;
		this.#count = 0;
	}

	/** The block that holds `index`, or null. */
	find(index: number): BlockPlace | null {
		const row = this.#rowOf(index);
		if (row === this.#count || this.#at(row, column.first) > index) return null;
		return {
			first: this.#at(row, column.first),
			last: this.#at(row, column.last),
			segment: this.#at(row, column.segment),
			offset: this.#at(row, column.offset),
			bytes: this.#at(row, column.bytes),
			crc: this.#at(row, column.crc),
		};
	}

	/** The segment of the first entry behind `index`, or of the last entry when there is none; null for an empty log. */
	segmentBehind(index: number): number | null {
		if (this.isEmpty) return null;
		const row = Math.min(this.#rowOf(index + 1), this.#count - 1);
		return this.#at(row, column.segment);
	}

	/** Forgets the blocks in segments before `segment`. At least one must be left. */
	dropBefore(segment: number): void {
		let dropped = 0;
		while (dropped < this.#count && this.#at(dropped, column.segment) < segment)
			dropped += 1;
		if (dropped === this.#count)
			throw new RangeError(`no entry would be left from segment ${segment} on`);
		this.#cells.copyWithin(0, dropped * width, this.#count * width);
		this.#count -= dropped;
		// A log that was once long gives its room back.
		const needed = 2 * this.#count * width;
		if (4 * needed < this.#cells.length) this.#resize(needed);
	}

	/** The first block that ends at `index` or behind it. */
	#rowOf(index: number): number {
		let low = 0;
		let high = this.#count;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.#at(middle, column.last) < index) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	#cut(first: number): void {
		while (!this.isEmpty && this.#at(this.#count - 1, column.first) >= first)
			this.#count -= 1;
		if (this.lastIndex >= first && !this.isEmpty)
			this.#cells[(this.#count - 1) * width + column.last] = first - 1;
	}

	#resize(length: number): void {
		const cells = new Float64Array(length);
		cells.set(this.#cells.subarray(0, Math.min(length, this.#cells.length)));
		this.#cells = cells;
	}

	#at(row: number, cell: number): number {
		return this.#cells[row * width + cell] as number;
	}
}
