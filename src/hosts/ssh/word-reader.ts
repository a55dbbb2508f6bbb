/** SSH's words one by one. Throws RangeError where the bytes end too early. */
export class WordReader {
	readonly #bytes: Buffer;
	at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	bytes(): Buffer {
		const length = this.uint32();
		const from = this.skip(length);
		return this.#bytes.subarray(from, from + length);
	}

	text(): string {
		return this.bytes().toString("latin1");
	}

	uint32(): number {
		return this.#bytes.readUInt32BE(this.skip(4));
	}

	uint64(): bigint {
		return this.#bytes.readBigUInt64BE(this.skip(8));
	}

	/** All words that are left. */
	rest(): readonly string[] {
		const found: string[] = [];
		while (this.at < this.#bytes.length) found.push(this.text());
		return found;
	}

	/** Where the bytes begin that are passed over. */
	skip(length: number): number {
		const from = this.at;
		if (from + length > this.#bytes.length)
			throw new RangeError("the bytes end too early");
		this.at = from + length;
		return from;
	}
}
