import { crc32 } from "node:zlib";

const lowFactor = 0x9e3779b1;
const highFactor = 0x85ebca6b;
/** Not 0, on which zeros would leave no trace. */
const lowSeed = 0x2545f491;
const highSeed = 0x6c8e9cf5;
/** From here on a piece counts by its CRC-32, which zlib computes several times as fast as a loop reads it. */
const longBytes = 512;

/**
 * A running fingerprint of 64 bits, in two halves that are whole numbers of 32 bits. It tells apart what differs by
 * accident, not what somebody made to collide. The same bytes give the same one on every platform and in every release.
 */
export class Fingerprint {
	low = lowSeed;
	high = highSeed;

	/** Begins anew, or goes on from where another stopped. */
	begin(low = lowSeed, high = highSeed): this {
		this.low = low;
		this.high = high;
		return this;
	}

	/** A whole number below 2^53. */
	number(value: number): this {
		this.#mix(value | 0);
		this.#mix((value / 2 ** 32) | 0);
		return this;
	}

	/** Those from `start` to `end`. Their length included, so that what follows cannot be taken for a part of them. */
	bytes(bytes: Uint8Array, start = 0, end = bytes.length): this {
		const length = end - start;
		if (length >= longBytes) return this.#long(bytes.subarray(start, end));
		let { low, high } = this;
		const whole = end - (length % 4);
		// The loop is written out, as a call for each word costs more than the word.
		for (let at = start; at < whole; at += 4) {
			const word =
				(bytes[at] as number) |
				((bytes[at + 1] as number) << 8) |
				((bytes[at + 2] as number) << 16) |
				((bytes[at + 3] as number) << 24);
			low = Math.imul(low ^ word, lowFactor);
			low ^= low >>> 15;
			high = Math.imul(high ^ word, highFactor);
			high ^= high >>> 13;
		}
		this.low = low;
		this.high = high;
		let rest = 0;
		for (let at = whole; at < end; at++)
			rest = (rest << 8) | (bytes[at] as number);
		this.#mix(rest);
		this.#mix(length);
		return this;
	}

	/** The same as `bytes` of the characters, each of which is below 256. */
	text(text: string): this {
		const { length } = text;
		if (length >= longBytes) return this.#long(Buffer.from(text, "latin1"));
		let { low, high } = this;
		const whole = length - (length % 4);
		for (let at = 0; at < whole; at += 4) {
			const word =
				text.charCodeAt(at) |
				(text.charCodeAt(at + 1) << 8) |
				(text.charCodeAt(at + 2) << 16) |
				(text.charCodeAt(at + 3) << 24);
			low = Math.imul(low ^ word, lowFactor);
			low ^= low >>> 15;
			high = Math.imul(high ^ word, highFactor);
			high ^= high >>> 13;
		}
		this.low = low;
		this.high = high;
		let rest = 0;
		for (let at = whole; at < length; at++)
			rest = (rest << 8) | text.charCodeAt(at);
		this.#mix(rest);
		this.#mix(length);
		return this;
	}

	/** Spreads every bit over its half, so that sums of fingerprints are as good as fingerprints. */
	end(): this {
		this.low = spread(this.low);
		this.high = spread(this.high);
		return this;
	}

	/** Eight bytes. */
	encoded(): Uint8Array {
		const bytes = new DataView(new ArrayBuffer(8));
		bytes.setInt32(0, this.low, true);
		bytes.setInt32(4, this.high, true);
		return new Uint8Array(bytes.buffer);
	}

	#long(bytes: Uint8Array): this {
		this.#mix(crc32(bytes) | 0);
		this.#mix(bytes.length);
		return this;
	}

	/** The shift brings high bits down: a product alone only ever carries differences upwards. */
	#mix(word: number): void {
		const low = Math.imul(this.low ^ word, lowFactor);
		this.low = low ^ (low >>> 15);
		const high = Math.imul(this.high ^ word, highFactor);
		this.high = high ^ (high >>> 13);
	}
}

function spread(half: number): number {
	let mixed = half ^ (half >>> 16);
	mixed = Math.imul(mixed, 0x85ebca6b);
	mixed ^= mixed >>> 13;
	mixed = Math.imul(mixed, 0xc2b2ae35);
	return mixed ^ (mixed >>> 16);
}
