/** The words of control: positions count bytes for ever, in 32 bits that wrap. */
const headWord = 0;
const tailWord = 1;
const controlBytes = 64;
/** Length and serial number, before each piece. */
const pieceHeaderBytes = 8;
/** In the place of a length: nothing more up to the end of the memory. */
const skip = 0xffff_ffff;
const defaultBytes = 4 * 1024 * 1024;

/** For a writer on one thread and a reader on another. `bytes` is a power of two, so that positions fall into it. */
export function batchRingMemory(bytes = defaultBytes): SharedArrayBuffer {
	return new SharedArrayBuffer(controlBytes + bytes);
}

/**
 * Hands pieces of memory to another thread, in order, without a message and without an allocation: these would be a copy
 * of everything that is ever written, which both threads' garbage collectors have to find. What does not fit is for the
 * caller to hand over in another way; the serial numbers tell the reader what comes next.
 */
export class BatchRingWriter {
	readonly #control: Int32Array;
	readonly #memory: Buffer;
	readonly #words: DataView;
	/** Of the piece that was reserved. */
	#start = 0;
	#end = 0;

	constructor(shared: SharedArrayBuffer) {
		this.#control = new Int32Array(shared, 0, 2);
		this.#memory = Buffer.from(shared, controlBytes);
		this.#words = new DataView(shared, controlBytes);
	}

	/** Room for a piece, at a multiple of eight; null when there is none now. */
	reserve(bytes: number): Buffer | null {
		const size = this.#memory.length;
		const needed = roundUp(pieceHeaderBytes + bytes);
		const head = this.#control[headWord] as number;
		const used = (head - Atomics.load(this.#control, tailWord)) >>> 0;
		const at = head & (size - 1);
		const toEnd = size - at;
		const fits = used + needed <= size && needed <= toEnd;
		const fitsAtStart = used + toEnd + needed <= size;
		// Where nothing waits it begins anew: memory that was used just now is still in the cache.
		if (fits && !(used === 0 && fitsAtStart)) this.#start = head;
		else if (fitsAtStart) {
			this.#words.setUint32(at, skip, true);
			this.#start = (head + toEnd) | 0;
		} else return null;
		this.#end = (this.#start + needed) | 0;
		const start = this.#start & (size - 1);
		this.#words.setUint32(start, bytes, true);
		return this.#memory.subarray(
			start + pieceHeaderBytes,
			start + pieceHeaderBytes + bytes,
		);
	}

	/** The room that was reserved last is filled: it is the piece of that number, and the reader's from now on. */
	publish(serial: number): void {
		const start = this.#start & (this.#memory.length - 1);
		this.#words.setUint32(start + 4, serial, true);
		Atomics.store(this.#control, headWord, this.#end);
	}
}

/** See `BatchRingWriter`. */
export class BatchRingReader {
	readonly #control: Int32Array;
	readonly #memory: Buffer;
	readonly #words: DataView;
	#position = 0;

	constructor(shared: SharedArrayBuffer) {
		this.#control = new Int32Array(shared, 0, 2);
		this.#memory = Buffer.from(shared, controlBytes);
		this.#words = new DataView(shared, controlBytes);
	}

	/** The piece of that number, good until `release`; null when it is not here. */
	take(serial: number): Buffer | null {
		const size = this.#memory.length;
		while (Atomics.load(this.#control, headWord) !== this.#position) {
			const at = this.#position & (size - 1);
			const bytes = this.#words.getUint32(at, true);
			if (bytes === skip) {
				this.#position = (this.#position + size - at) | 0;
				continue;
			}
			if (this.#words.getUint32(at + 4, true) !== serial >>> 0) return null;
			const start = at + pieceHeaderBytes;
			this.#position = (this.#position + roundUp(pieceHeaderBytes + bytes)) | 0;
			return this.#memory.subarray(start, start + bytes);
		}
		return null;
	}

	/** Everything that was taken may be written over. */
	release(): void {
		Atomics.store(this.#control, tailWord, this.#position);
	}
}

function roundUp(bytes: number): number {
	return Math.ceil(bytes / 8) * 8;
}
