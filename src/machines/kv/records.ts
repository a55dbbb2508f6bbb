import { Fingerprint } from "../fingerprint.js";
import { type Place, Slabs } from "./slabs.js";

/**
 * A record is what a snapshot has of an item: u8 1 | u48 version | u16 key length | key | u32 value length | value.
 * In its slot there are four words before it: the two halves of its fingerprint, the size of the slot, and the size of
 * the record; 0 where the slot was released.
 */
export const itemMark = 1;
export const keyAt = 9;
/** Of a record without its key and its value. */
export const itemHeaderBytes = keyAt + 4;

const slotHeaderBytes = 16;
const lowWord = 0;
const highWord = 1;
const slotBytesWord = 2;
const recordBytesWord = 3;
/** A native copy costs more than its bytes below this. */
const shortBytes = 24;
/** A slot is not kept for a record that needs less than half of it, unless it is as small as this. */
const smallSlotBytes = 64;

/** One for all records, as each is finished before the next begins. */
const print = new Fingerprint();

/** Items, each a record in a slot of its own. Which key has which is for the caller to know. */
export class Records {
	readonly #slabs: Slabs;

	constructor(slabs = new Slabs()) {
		this.#slabs = slabs;
	}

	get totalBytes(): number {
		return this.#slabs.totalBytes;
	}

	/** `key` is a byte string; the value are the bytes from `start` to `end`. No view is made of them. */
	add(
		key: string,
		version: number,
		bytes: Uint8Array,
		start: number,
		end: number,
	): Place {
		const recordBytes = itemHeaderBytes + key.length + end - start;
		const slotBytes = slotBytesFor(recordBytes);
		const place = this.#slabs.allocate(slotBytes);
		this.#words(place)[this.#word(place, slotBytesWord)] = slotBytes;
		this.#write(place, key, version, bytes, start, end);
		return place;
	}

	/** Puts another version of the same key into the same slot; false when that cannot be: it is too small, or shared. */
	replace(
		place: Place,
		key: string,
		version: number,
		bytes: Uint8Array,
		start: number,
		end: number,
	): boolean {
		const needed = slotBytesFor(itemHeaderBytes + key.length + end - start);
		const slotBytes = this.#get(place, slotBytesWord);
		if (needed > slotBytes) return false;
		if (slotBytes > smallSlotBytes && needed * 2 < slotBytes) return false;
		if (!this.#slabs.isOwn(place)) return false;
		this.#write(place, key, version, bytes, start, end);
		return true;
	}

	release(place: Place): void {
		const size = this.#get(place, slotBytesWord);
		// Whoever shares the slab may still hold the record.
		if (this.#slabs.isOwn(place))
			this.#words(place)[this.#word(place, recordBytesWord)] = 0;
		this.#slabs.release(place, size);
	}

	low(place: Place): number {
		return this.#get(place, lowWord);
	}

	high(place: Place): number {
		return this.#get(place, highWord);
	}

	version(place: Place): number {
		const at = this.start(place);
		return this.bytesAt(place).readUIntLE(at + 1, 6);
	}

	key(place: Place): string {
		const bytes = this.bytesAt(place);
		const at = this.start(place) + keyAt;
		return bytes.toString("latin1", at, at + keyBytesAt(bytes, at));
	}

	/** A view, good until the next change. */
	value(place: Place): Buffer {
		const bytes = this.bytesAt(place);
		const at = this.start(place);
		const keyEnd = at + keyAt + keyBytesAt(bytes, at + keyAt);
		return bytes.subarray(keyEnd + 4, at + this.size(place));
	}

	valueBytes(place: Place): number {
		const keyBytes = keyBytesAt(this.bytesAt(place), this.start(place) + keyAt);
		return this.size(place) - itemHeaderBytes - keyBytes;
	}

	/** The record is the `size` bytes of `bytesAt` from `start` on. */
	size(place: Place): number {
		return this.#get(place, recordBytesWord);
	}

	start(place: Place): number {
		return this.#slabs.offsetOf(place) + slotHeaderBytes;
	}

	bytesAt(place: Place): Buffer {
		return this.#slabs.bytesOf(place);
	}

	/** The first of the slots that are worth to be moved, so that their slab can be given back; null when none are. */
	firstToMove(): Place | null {
		return this.#slabs.emptiest();
	}

	/** Whether the slot is still there, one of those to be moved. */
	isToMove(place: Place): boolean {
		return this.#slabs.isInEmptiest(place);
	}

	/** The slot behind it. */
	next(place: Place): Place {
		return place + this.#get(place, slotBytesWord);
	}

	/** A copy elsewhere. The first stays until it is released. */
	move(place: Place): Place {
		const size = this.#get(place, slotBytesWord);
		const to = this.#slabs.allocate(size);
		const from = this.#slabs.offsetOf(place);
		this.bytesAt(place).copy(
			this.bytesAt(to),
			this.#slabs.offsetOf(to),
			from,
			from + size,
		);
		return to;
	}

	/** As they are now, for as long as anyone reads them. */
	frozen(): Records {
		return new Records(this.#slabs.frozen());
	}

	#write(
		place: Place,
		key: string,
		version: number,
		bytes: Uint8Array,
		start: number,
		end: number,
	): void {
		print.begin().text(key).number(version).bytes(bytes, start, end).end();
		const words = this.#words(place);
		const word = this.#word(place, 0);
		words[word + lowWord] = print.low;
		words[word + highWord] = print.high;
		words[word + recordBytesWord] = itemHeaderBytes + key.length + end - start;
		const target = this.bytesAt(place);
		let at = this.start(place);
		target[at++] = itemMark;
		at = write32(target, at, version);
		const high = Math.floor(version / 2 ** 32);
		target[at++] = high;
		target[at++] = high >>> 8;
		target[at++] = key.length;
		target[at++] = key.length >>> 8;
		at = write32(target, writeText(target, at, key), end - start);
		copy(bytes, start, end, target, at);
	}

	#get(place: Place, word: number): number {
		return this.#words(place)[this.#word(place, word)] as number;
	}

	#words(place: Place): Int32Array {
		return this.#slabs.wordsOf(place);
	}

	#word(place: Place, word: number): number {
		return this.#slabs.offsetOf(place) / 4 + word;
	}
}

function slotBytesFor(recordBytes: number): number {
	return slotHeaderBytes + Math.ceil(recordBytes / 8) * 8;
}

/** The length of the key that begins at `at`. */
function keyBytesAt(bytes: Buffer, at: number): number {
	return (bytes[at - 2] as number) | ((bytes[at - 1] as number) << 8);
}

function write32(target: Buffer, start: number, value: number): number {
	target[start] = value;
	target[start + 1] = value >>> 8;
	target[start + 2] = value >>> 16;
	target[start + 3] = value >>> 24;
	return start + 4;
}

function writeText(target: Buffer, start: number, text: string): number {
	const { length } = text;
	if (length > shortBytes)
		return start + target.write(text, start, length, "latin1");
	for (let at = 0; at < length; at++) target[start + at] = text.charCodeAt(at);
	return start + length;
}

function copy(
	from: Uint8Array,
	start: number,
	end: number,
	target: Buffer,
	at: number,
): void {
	if (end - start > shortBytes && Buffer.isBuffer(from))
		from.copy(target, at, start, end);
	else
		for (let each = start; each < end; each++)
			target[at + each - start] = from[each] as number;
}
