/** Joins bytes that come in pieces cut anywhere, for a reader that needs whole records. Each is copied at most twice. */
export class Gatherer {
	#parts: Uint8Array[] = [];
	#size = 0;
	#needed = 0;

	/** Bytes that were kept and are not read yet. */
	get waiting(): number {
		return this.#size;
	}

	/** What was kept and `piece`, in one; null while that is less than the reader needs. Good until the next call. */
	add(piece: Uint8Array): Buffer | null {
		if (this.#size + piece.length < this.#needed) {
			this.#hold(piece);
			return null;
		}
		if (this.#size === 0)
			return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
		const joined = Buffer.concat(
			[...this.#parts, piece],
			this.#size + piece.length,
		);
		this.#parts = [];
		this.#size = 0;
		return joined;
	}

	/** What could not be read yet, and how many bytes, these included, it takes at least to go on. */
	keep(rest: Uint8Array, needed: number): void {
		this.#needed = needed;
		if (rest.length > 0) this.#hold(rest);
	}

	/** A copy, as the bytes are the caller's again after the call. */
	#hold(bytes: Uint8Array): void {
		this.#parts.push(Uint8Array.prototype.slice.call(bytes));
		this.#size += bytes.length;
	}
}
