/** A set of small whole numbers that grows and shrinks, and knows a hash of what it holds. */
export class OperationSet {
	readonly #words: Uint32Array;
	readonly #codes: Float64Array;
	/** Every word before #from is full, every one from #to on is empty. */
	#from = 0;
	#to = 0;
	#low = 0;
	#high = 0;

	constructor(size: number) {
		this.#words = new Uint32Array(Math.ceil(size / 32) + 1);
		this.#codes = codes(size);
	}

	has(member: number): boolean {
		return ((this.#words[member >>> 5] as number) & bit(member)) !== 0;
	}

	add(member: number): void {
		const word = member >>> 5;
		this.#words[word] = (this.#words[word] as number) | bit(member);
		this.#flip(member);
		while (this.#words[this.#from] === full) this.#from++;
		this.#to = Math.max(this.#to, word + 1);
	}

	delete(member: number): void {
		const word = member >>> 5;
		this.#words[word] = (this.#words[word] as number) & ~bit(member);
		this.#flip(member);
		this.#from = Math.min(this.#from, word);
		while (this.#to > 0 && this.#words[this.#to - 1] === 0) this.#to--;
	}

	/** 53 bits; equal sets have equal hashes. */
	get hash(): number {
		return (this.#high & 0x1fffff) * 2 ** 32 + (this.#low >>> 0);
	}

	/** What tells it from every other set of this size: few words, as nearly all that is early is in it. */
	copy(): SetCopy {
		const from = this.#from;
		return { from, words: this.#words.slice(from, this.#to) };
	}

	equals({ from, words }: SetCopy): boolean {
		if (from !== this.#from || this.#to - from !== words.length) return false;
		return words.every((word, at) => word === this.#words[from + at]);
	}

	/** Everything in `copy` is in here, too. */
	includes({ from, words }: SetCopy): boolean {
		if (this.#from < from) return false;
		return words.every(
			(word, at) => (word & ~(this.#words[from + at] as number)) === 0,
		);
	}

	#flip(member: number): void {
		this.#low ^= this.#codes[member * 2] as number;
		this.#high ^= this.#codes[member * 2 + 1] as number;
	}
}

export interface SetCopy {
	readonly from: number;
	readonly words: Uint32Array;
}

const full = 0xffffffff;

function bit(member: number): number {
	return 1 << (member & 31);
}

/** Two fixed words for each member (Zobrist hashing), scattered by the finish of a 32-bit Murmur hash. */
function codes(size: number): Float64Array {
	return Float64Array.from({ length: size * 2 }, (_, at) =>
		scatter(at + 0x9e3779b9),
	);
}

function scatter(word: number): number {
	let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
	mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
	return (mixed ^ (mixed >>> 16)) | 0;
}
