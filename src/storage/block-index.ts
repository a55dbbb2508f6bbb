/** Where a block of entries lies on the disk. `bytes` and `crc` are those of the whole block as it was written. */
export interface BlockPlace {
	readonly first: number;
	/** May be less than what the block holds: a later block took the place of the rest. */
	readonly last: number;
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

	/** The last index of the log; 0 when it is empty. */
	get lastIndex(): number {
		return this.#last.at(-1) ?? 0;
	}

	/** Adds a block behind the others; what they hold from `place.first` on is forgotten. */
	add(place: BlockPlace): void {
		this.#cut(place.first);
		this.#first.push(place.first);
		this.#last.push(place.last);
		this.#segment.push(place.segment);
		this.#offset.push(place.offset);
		this.#bytes.push(place.bytes);
		this.#crc.push(place.crc);
	}

	/** The block that holds `index`, or null. */
	find(index: number): BlockPlace | null {
		let low = 0;
		let high = this.#first.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (at(this.#last, middle) < index) low = middle + 1;
			else high = middle;
		}
		if (low === this.#first.length || at(this.#first, low) > index) return null;
		return {
			first: at(this.#first, low),
			last: at(this.#last, low),
			segment: at(this.#segment, low),
			offset: at(this.#offset, low),
			bytes: at(this.#bytes, low),
			crc: at(this.#crc, low),
		};
	}

	#cut(first: number): void {
		let count = this.#first.length;
		while (count > 0 && at(this.#first, count - 1) >= first) count -= 1;
		for (const column of [
			this.#first,
			this.#last,
			this.#segment,
			this.#offset,
			this.#bytes,
			this.#crc,
		])
			column.length = count;
		if (count > 0 && at(this.#last, count - 1) >= first)
			this.#last[count - 1] = first - 1;
	}
}

function at(column: readonly number[], row: number): number {
	return column[row] as number;
}
