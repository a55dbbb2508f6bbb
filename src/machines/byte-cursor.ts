import { MachineInputError } from "./machine.js";

const limit48 = 2 ** 48;

/** Reads little-endian fields in order; every one is checked against the end first. Throws MachineInputError. */
export class ByteReader {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = Buffer.isBuffer(bytes)
			? bytes
			: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	u8(what: string): number {
		return this.#bytes[this.#take(1, what)] as number;
	}

	u16(what: string): number {
		return this.#bytes.readUInt16LE(this.#take(2, what));
	}

	u32(what: string): number {
		return this.#bytes.readUInt32LE(this.#take(4, what));
	}

	u48(what: string): number {
		return this.#bytes.readUIntLE(this.#take(6, what), 6);
	}

	/** One byte that is 0 or 1. */
	flag(what: string): boolean {
		const value = this.u8(what);
		if (value > 1)
			throw new MachineInputError(`${what} is ${value}, not 0 or 1`);
		return value === 1;
	}

	/** A view, with its length in the two bytes before it. */
	bytes16(what: string): Buffer {
		return this.#view(this.u16(what), what);
	}

	/** A view, with its length in the four bytes before it. */
	bytes32(what: string): Buffer {
		return this.#view(this.u32(what), what);
	}

	/** A view of all that is left. */
	rest(): Buffer {
		const rest = this.#bytes.subarray(this.#at);
		this.#at = this.#bytes.length;
		return rest;
	}

	end(what: string): void {
		const surplus = this.#bytes.length - this.#at;
		if (surplus > 0)
			throw new MachineInputError(`${surplus} bytes follow the ${what}`);
	}

	#view(length: number, what: string): Buffer {
		const at = this.#take(length, what);
		return this.#bytes.subarray(at, at + length);
	}

	#take(length: number, what: string): number {
		const at = this.#at;
		if (length > this.#bytes.length - at)
			throw new MachineInputError(`${what} is cut short at byte ${at}`);
		this.#at = at + length;
		return at;
	}
}

/** Writes little-endian fields in order into a buffer of exactly the size they need. */
export class ByteWriter {
	readonly bytes: Buffer;
	#at = 0;

	constructor(size: number) {
		this.bytes = Buffer.allocUnsafe(size);
	}

	u8(value: number): this {
		this.#at = this.bytes.writeUInt8(value, this.#at);
		return this;
	}

	u32(value: number): this {
		this.#at = this.bytes.writeUInt32LE(value, this.#at);
		return this;
	}

	u48(value: number): this {
		if (!(value >= 0 && value < limit48))
			throw new MachineInputError(`${value} is no version or index`);
		this.#at = this.bytes.writeUIntLE(value, this.#at, 6);
		return this;
	}

	flag(value: boolean): this {
		return this.u8(value ? 1 : 0);
	}

	/** Throws MachineInputError when the length does not fit its two bytes. */
	bytes16(value: Uint8Array, what: string): this {
		if (value.length > 0xffff)
			throw new MachineInputError(`${what} is longer than 65535 bytes`);
		this.#at = this.bytes.writeUInt16LE(value.length, this.#at);
		return this.raw(value);
	}

	bytes32(value: Uint8Array): this {
		return this.u32(value.length).raw(value);
	}

	raw(value: Uint8Array): this {
		this.bytes.set(value, this.#at);
		this.#at += value.length;
		return this;
	}
}
