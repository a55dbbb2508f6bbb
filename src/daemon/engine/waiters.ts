/** Who waits for an index, handed out in order of index, and of arrival where that is the same. */
export class Waiters<T> {
	#indexes: number[] = [];
	#items: T[] = [];

	get size(): number {
		return this.#items.length;
	}

	add(index: number, item: T): void {
		// Most wait for the newest index.
		let at = this.#indexes.length;
		if (at > 0 && (this.#indexes[at - 1] as number) > index)
			at = this.#placeOf(index);
		if (at === this.#indexes.length) {
			this.#indexes.push(index);
			this.#items.push(item);
		} else {
			this.#indexes.splice(at, 0, index);
			this.#items.splice(at, 0, item);
		}
	}

	/** Hands out all that wait for `index` or less. */
	take(index: number, each: (item: T) => void): void {
		if (this.#indexes.length === 0 || (this.#indexes[0] as number) > index)
			return;
		const end = this.#placeOf(index);
		const items = this.#items.slice(0, end);
		this.#indexes = this.#indexes.slice(end);
		this.#items = this.#items.slice(end);
		for (const item of items) each(item);
	}

	/** Forgets those for which `wants` does not hold. */
	keep(wants: (item: T) => boolean): void {
		const kept = this.#items.map(wants);
		this.#items = this.#items.filter((_, at) => kept[at]);
		this.#indexes = this.#indexes.filter((_, at) => kept[at]);
	}

	/** Behind all that wait for `index` or less. */
	#placeOf(index: number): number {
		let low = 0;
		let high = this.#indexes.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#indexes[middle] as number) <= index) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
