import type { Place } from "./slabs.js";

/** A table that grows is built anew, all at once: each of so many is small enough for nobody to notice. */
const shardCount = 256;

/** Which key is where, for those who need no order: a search in order misses the processor's caches at every step. */
export class PlaceIndex {
	readonly #shards: readonly Map<string, Place>[] = Array.from(
		{ length: shardCount },
		() => new Map(),
	);

	get(key: string): Place | undefined {
		return this.#shardOf(key).get(key);
	}

	set(key: string, place: Place): void {
		this.#shardOf(key).set(key, place);
	}

	delete(key: string): void {
		this.#shardOf(key).delete(key);
	}

	#shardOf(key: string): Map<string, Place> {
		let hash = key.length;
		for (let at = 0; at < key.length; at++)
			hash = Math.imul(hash, 31) + key.charCodeAt(at);
		const mixed = hash ^ (hash >>> 16);
		return this.#shards[(mixed ^ (mixed >>> 8)) & (shardCount - 1)] as Map<
			string,
			Place
		>;
	}
}
