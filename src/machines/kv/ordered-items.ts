import { PlaceIndex } from "./place-index.js";
import { Records } from "./records.js";
import type { Place } from "./slabs.js";

/** What a key holds. The value is a view, good until the next change. */
export interface Item {
	readonly value: Buffer;
	readonly version: number;
}

interface Block {
	/** Rising, and below those of the next block. */
	readonly keys: string[];
	/** Of the records. */
	readonly places: Place[];
	/** Who may change it in place; for everyone else it is shared, and copied first. */
	readonly owner: object;
}

/** A block is split in two when it grows past this. */
const blockLimit = 512;
/** Slots looked at with each change, while a slab is being emptied: more than are filled meanwhile. */
const movedAtOnce = 8;

/**
 * Items ordered by key, in blocks; what they hold lies outside the heap. A new value in an old one's place costs one look
 * into the index, any other change two binary searches and a shift within one block; a frozen view costs one copy of the block list, and one copy of each block that is changed while the
 * view lives.
 *
 * Keys are byte strings (one character, below 256, for each byte): they compare and match by byte natively, take any
 * bytes, and hold no part of a network buffer.
 */
export class OrderedItems {
	#blocks: Block[] = [];
	#records: Records;
	/** Null in a frozen view, which is read in order. */
	readonly #index: PlaceIndex | null;
	#owner: object = {};
	#size = 0;
	/** Sums of the items' fingerprints, modulo 2^32: the same whatever the order in which items came and went. */
	#low = 0;
	#high = 0;
	/** The next slot to look at in the slab that is being emptied. */
	#moving: Place | null = null;

	constructor(
		records = new Records(),
		index: PlaceIndex | null = new PlaceIndex(),
	) {
		this.#records = records;
		this.#index = index;
	}

	get size(): number {
		return this.#size;
	}

	get low(): number {
		return this.#low >>> 0;
	}

	get high(): number {
		return this.#high >>> 0;
	}

	/** Where the places of `runs` are. */
	get records(): Records {
		return this.#records;
	}

	get(key: string): Item | null {
		const place = this.#placeOf(key);
		return place === null ? null : this.#item(place);
	}

	/** Of the item; null when there is none. */
	version(key: string): number | null {
		const place = this.#placeOf(key);
		return place === null ? null : this.#records.version(place);
	}

	/** The value are the bytes from `start` to `end`. They are copied. */
	set(
		key: string,
		version: number,
		bytes: Uint8Array,
		start = 0,
		end = bytes.length,
	): void {
		const known = this.#placeOf(key);
		if (known !== null) {
			this.#subtract(known);
			if (this.#records.replace(known, key, version, bytes, start, end)) {
				this.#count(known);
				return;
			}
			this.#records.release(known);
		}
		const place = this.#records.add(key, version, bytes, start, end);
		this.#count(place);
		this.#index?.set(key, place);
		if (this.#blocks.length === 0) this.#blocks.push(this.#block([], []));
		const number = this.#blockOf(key);
		const block = this.#writable(number);
		const at = lowerBound(block.keys, key);
		if (known !== null) block.places[at] = place;
		else {
			block.keys.splice(at, 0, key);
			block.places.splice(at, 0, place);
			this.#size += 1;
			if (block.keys.length > blockLimit) this.#split(number, at);
		}
		this.#makeRoom();
	}

	/** The same as `set` for a key above all others, without a search. */
	append(
		key: string,
		version: number,
		bytes: Uint8Array,
		start = 0,
		end = bytes.length,
	): void {
		let block = this.#blocks.at(-1);
		if (block === undefined || block.keys.length >= blockLimit) {
			block = this.#block([], []);
			this.#blocks.push(block);
		} else block = this.#writable(this.#blocks.length - 1);
		const place = this.#records.add(key, version, bytes, start, end);
		this.#count(place);
		this.#index?.set(key, place);
		block.keys.push(key);
		block.places.push(place);
		this.#size += 1;
	}

	/** True when there was such a key. */
	delete(key: string): boolean {
		const place = this.#placeOf(key);
		if (place === null) return false;
		const number = this.#blockOf(key);
		const block = this.#writable(number);
		const at = lowerBound(block.keys, key);
		this.#index?.delete(key);
		this.#subtract(place);
		this.#records.release(place);
		block.keys.splice(at, 1);
		block.places.splice(at, 1);
		this.#size -= 1;
		if (block.keys.length === 0) this.#blocks.splice(number, 1);
		this.#makeRoom();
		return true;
	}

	/** Everything from `key` on, in order. The items must not change meanwhile: use a frozen view for that. */
	*from(key: string): Generator<readonly [string, Item]> {
		for (let number = this.#blockOf(key); ; number += 1) {
			const block = this.#blocks[number];
			if (block === undefined) return;
			for (let at = lowerBound(block.keys, key); at < block.keys.length; at++)
				yield [block.keys[at] as string, this.#item(block.places[at] as Place)];
		}
	}

	/** The places of all records in the order of their keys, in runs. The same holds as for `from`. */
	*runs(): Generator<readonly Place[]> {
		for (const { places } of this.#blocks) yield places;
	}

	/** The items as they are now, for as long as anyone reads them. */
	frozen(): OrderedItems {
		const view = new OrderedItems(this.#records.frozen(), null);
		view.#blocks = this.#blocks.slice();
		view.#size = this.#size;
		view.#low = this.#low;
		view.#high = this.#high;
		// From now on neither of the two owns the blocks that both hold.
		this.#owner = {};
		return view;
	}

	#item(place: Place): Item {
		const records = this.#records;
		return { value: records.value(place), version: records.version(place) };
	}

	#count(place: Place): void {
		this.#low = (this.#low + this.#records.low(place)) | 0;
		this.#high = (this.#high + this.#records.high(place)) | 0;
	}

	#subtract(place: Place): void {
		this.#low = (this.#low - this.#records.low(place)) | 0;
		this.#high = (this.#high - this.#records.high(place)) | 0;
	}

	/** A few slots at a time, so that no single change waits for a whole slab. */
	#makeRoom(): void {
		const records = this.#records;
		let place = this.#moving ?? records.firstToMove();
		for (let left = movedAtOnce; place !== null; left--) {
			if (left === 0 || !records.isToMove(place)) break;
			const next = records.next(place);
			this.#moveAway(place);
			place = next;
		}
		this.#moving = place !== null && records.isToMove(place) ? place : null;
	}

	#moveAway(place: Place): void {
		const records = this.#records;
		if (records.size(place) === 0) return;
		const key = records.key(place);
		const number = this.#blockOf(key);
		const { keys, places } = this.#blocks[number] ?? nothing;
		const at = lowerBound(keys, key);
		// In a slab that a frozen view shares, what was released is not marked.
		if (places[at] !== place) return;
		const moved = records.move(place);
		this.#writable(number).places[at] = moved;
		this.#index?.set(key, moved);
		records.release(place);
	}

	#placeOf(key: string): Place | null {
		if (this.#index !== null) return this.#index.get(key) ?? null;
		const block = this.#blocks[this.#blockOf(key)];
		if (block === undefined) return null;
		const at = lowerBound(block.keys, key);
		return block.keys[at] === key ? (block.places[at] as Place) : null;
	}

	/** The number of the only block that can hold `key`; 0 when there is none. */
	#blockOf(key: string): number {
		let low = 0;
		let high = this.#blocks.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >>> 1;
			if ((this.#blocks[middle]?.keys[0] as string) <= key) low = middle;
			else high = middle - 1;
		}
		return low;
	}

	#writable(number: number): Block {
		const block = this.#blocks[number] as Block;
		if (block.owner === this.#owner) return block;
		const copy = this.#block(block.keys.slice(), block.places.slice());
		this.#blocks[number] = copy;
		return copy;
	}

	/** Keys that only ever rise leave full blocks behind them, not half-full ones. */
	#split(number: number, insertedAt: number): void {
		const block = this.#blocks[number] as Block;
		const rising =
			number === this.#blocks.length - 1 &&
			insertedAt === block.keys.length - 1;
		const at = rising ? insertedAt : block.keys.length >>> 1;
		this.#blocks.splice(
			number + 1,
			0,
			this.#block(block.keys.splice(at), block.places.splice(at)),
		);
	}

	#block(keys: string[], places: Place[]): Block {
		return { keys, places, owner: this.#owner };
	}
}

const nothing = { keys: [] as string[], places: [] as Place[] };

/** The first position whose key is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
	let low = 0;
	let high = keys.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((keys[middle] as string) < key) low = middle + 1;
		else high = middle;
	}
	return low;
}
