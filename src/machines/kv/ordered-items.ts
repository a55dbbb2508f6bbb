import type { StoredBytes } from "./stored-bytes.js";

/**
 * What a key holds. Never changed in place, so that an older view of the items stays true.
 */
export interface Item {
	readonly value: StoredBytes;
	readonly version: number;
	/** The fingerprint of key, value and version, in two halves of 32 bits. */
	readonly low: number;
	readonly high: number;
}

interface Block {
	/** Rising, and below those of the next block. */
	readonly keys: string[];
	readonly items: Item[];
	/** Who may change it in place; for everyone else it is shared, and copied first. */
	readonly owner: object;
}

/** A block is split in two when it grows past this. */
const blockLimit = 512;

/**
 * Items ordered by key, in blocks. A change costs two binary searches and a shift within one block; a frozen view
 * costs one copy of the block list, and one copy of each block that is changed while the view lives.
 *
 * Keys are byte strings (one character, below 256, for each byte): they compare and match by byte natively, take any
 * bytes, and hold no part of a network buffer.
 */
export class OrderedItems {
	#blocks: Block[] = [];
	#owner: object = {};
	#size = 0;
	/** Sums of the items' fingerprints, modulo 2^32: the same whatever the order in which items came and went. */
	#low = 0;
	#high = 0;

	get size(): number {
		return this.#size;
	}

	get low(): number {
		return this.#low >>> 0;
	}

	get high(): number {
		return this.#high >>> 0;
	}

	get(key: string): Item | null {
		const block = this.#blocks[this.#blockOf(key)];
		if (block === undefined) return null;
		const at = lowerBound(block.keys, key);
		return block.keys[at] === key ? (block.items[at] as Item) : null;
	}

	set(key: string, item: Item): void {
		if (this.#blocks.length === 0) this.#blocks.push(this.#block([], []));
		const number = this.#blockOf(key);
		const block = this.#writable(number);
		const at = lowerBound(block.keys, key);
		this.#low = (this.#low + item.low) | 0;
		this.#high = (this.#high + item.high) | 0;
		if (block.keys[at] === key) {
			this.#forget(block.items[at] as Item);
			block.items[at] = item;
			return;
		}
		block.keys.splice(at, 0, key);
		block.items.splice(at, 0, item);
		this.#size += 1;
		if (block.keys.length > blockLimit) this.#split(number, at);
	}

	/** The same as `set` for a key above all others, without a search. */
	append(key: string, item: Item): void {
		let block = this.#blocks.at(-1);
		if (block === undefined || block.keys.length >= blockLimit) {
			block = this.#block([], []);
			this.#blocks.push(block);
		} else block = this.#writable(this.#blocks.length - 1);
		block.keys.push(key);
		block.items.push(item);
		this.#size += 1;
		this.#low = (this.#low + item.low) | 0;
		this.#high = (this.#high + item.high) | 0;
	}

	/** True when there was such a key. */
	delete(key: string): boolean {
		const number = this.#blockOf(key);
		const found = this.#blocks[number];
		if (found === undefined) return false;
		const at = lowerBound(found.keys, key);
		if (found.keys[at] !== key) return false;
		const block = this.#writable(number);
		this.#forget(block.items[at] as Item);
		block.keys.splice(at, 1);
		block.items.splice(at, 1);
		this.#size -= 1;
		if (block.keys.length === 0) this.#blocks.splice(number, 1);
		return true;
	}

	/** Everything from `key` on, in order. The items must not change meanwhile: use a frozen view for that. */
	*from(key: string): Generator<readonly [string, Item]> {
		for (let number = this.#blockOf(key); ; number += 1) {
			const block = this.#blocks[number];
			if (block === undefined) return;
			for (let at = lowerBound(block.keys, key); at < block.keys.length; at++)
				yield [block.keys[at] as string, block.items[at] as Item];
		}
	}

	/** Everything in order, in runs of keys and their items. The same holds as for `from`. */
	*runs(): Generator<{
		readonly keys: readonly string[];
		readonly items: readonly Item[];
	}> {
		yield* this.#blocks;
	}

	/** The items as they are now, for as long as anyone reads them. */
	frozen(): OrderedItems {
		const view = new OrderedItems();
		view.#blocks = this.#blocks.slice();
		view.#size = this.#size;
		view.#low = this.#low;
		view.#high = this.#high;
		// From now on neither of the two owns the blocks that both hold.
		this.#owner = {};
		return view;
	}

	#forget(item: Item): void {
		this.#low = (this.#low - item.low) | 0;
		this.#high = (this.#high - item.high) | 0;
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
		const copy = this.#block(block.keys.slice(), block.items.slice());
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
			this.#block(block.keys.splice(at), block.items.splice(at)),
		);
	}

	#block(keys: string[], items: Item[]): Block {
		return { keys, items, owner: this.#owner };
	}
}

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
