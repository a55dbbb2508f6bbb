import { crc32 } from "node:zlib";

/** What the first replay came to, for the second to be compared with: four bytes for each result, and the digests. */
export class ReplayRecord {
	readonly #from: number;
	#results = new Uint32Array(1024);
	#count = 0;
	readonly #digests = new Map<number, string>();
	#compared = 0;

	/** `from`: the index before the first entry. */
	constructor(from: number) {
		this.#from = from;
	}

	get digestsCompared(): number {
		return this.#compared;
	}

	/** Notes the first result of an entry; false for a later one that is not equal to it. */
	result(index: number, result: Uint8Array): boolean {
		const at = index - this.#from - 1;
		const sum = crc32(result, result.length);
		if (at < this.#count) return this.#results[at] === sum;
		if (at === this.#results.length) {
			const larger = new Uint32Array(2 * at);
			larger.set(this.#results);
			this.#results = larger;
		}
		this.#results[at] = sum;
		this.#count += 1;
		return true;
	}

	/** The same for a digest. */
	digest(index: number, digest: string): boolean {
		const known = this.#digests.get(index);
		if (known === undefined) {
			this.#digests.set(index, digest);
			return true;
		}
		this.#compared += 1;
		return known === digest;
	}
}
