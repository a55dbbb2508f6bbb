import { FrameError } from "./frame-splitter.js";

/** Reads one frame from front to back. Each read is within the frame, or throws FrameError. */
export class ByteCursor {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	get left(): number {
		return this.#bytes.length - this.#at;
	}

	u8(): number {
		return this.#bytes[this.#take(1)] as number;
	}

	u16(): number {
		return this.#bytes.readUInt16LE(this.#take(2));
	}

	u32(): number {
		return this.#bytes.readUInt32LE(this.#take(4));
	}

	/** Indexes, terms and counters: 48 bits, so every value is a safe integer (P70). */
	u48(): number {
		return this.#bytes.readUIntLE(this.#take(6), 6);
	}

	/** A byte of flags, none above `largest`: a flag that is not known must not be passed over. */
	flags(largest: number): number {
		const value = this.u8();
		if (value > largest) throw new FrameError(`unknown flags ${value}`);
		return value;
	}

	/** A view of the next `length` bytes. */
	bytes(length: number): Buffer {
		const at = this.#take(length);
		return this.#bytes.subarray(at, at + length);
	}

	text(length: number): string {
		const at = this.#take(length);
		return this.#bytes.toString("utf8", at, at + length);
	}

	rest(): Buffer {
		return this.bytes(this.left);
	}

	/** Nothing may follow. */
	end(): void {
		if (this.left > 0)
			throw new FrameError(`${this.left} bytes too many in a frame`);
	}

	#take(length: number): number {
		const at = this.#at;
		if (length > this.#bytes.length - at)
			throw new FrameError(
				`a frame is cut short: ${length} bytes wanted, ${this.#bytes.length - at} left`,
			);
		this.#at = at + length;
		return at;
	}
}
