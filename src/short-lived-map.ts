/** A map is not copied more often than after so many removals. */
const leastRemovals = 256;

/**
 * A map for what comes and goes: requests under way. V8 keeps, from each table that a Map has outgrown, a reference to
 * the next, for iterators (OrderedHashTable). Once one such table is old, all later ones live with everything that was in
 * them, and every request is copied twice by the garbage collector and waits for a full collection. So this one moves
 * to a new Map before a table can become old: measured, four of five requests outlived their answer without it.
 */
export class ShortLivedMap<Key, Value> {
	#map = new Map<Key, Value>();
	#removals = 0;

	get size(): number {
		return this.#map.size;
	}

	get(key: Key): Value | undefined {
		return this.#map.get(key);
	}

	has(key: Key): boolean {
		return this.#map.has(key);
	}

	set(key: Key, value: Value): void {
		// Here and not where something is removed: who goes through the entries may remove them.
		if (this.#removals > leastRemovals && this.#removals > this.#map.size) {
			this.#map = new Map(this.#map);
			this.#removals = 0;
		}
		this.#map.set(key, value);
	}

	delete(key: Key): boolean {
		const isRemoved = this.#map.delete(key);
		if (isRemoved) this.#removals++;
		return isRemoved;
	}

	clear(): void {
		this.#map = new Map();
		this.#removals = 0;
	}

	/** Those that are there now may be removed on the way; what is added meanwhile may be left out. */
	keys(): IterableIterator<Key> {
		return this.#map.keys();
	}

	values(): IterableIterator<Value> {
		return this.#map.values();
	}

	[Symbol.iterator](): IterableIterator<[Key, Value]> {
		return this.#map[Symbol.iterator]();
	}
}
