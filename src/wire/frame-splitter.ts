/** So many times what has arrived is room for most frames at once: to grow costs a copy, and garbage. */
const growth = 8;

/**
 * Cuts a byte stream into frames. A frame that lies within one chunk is a view of it; one that spans several is
 * copied once. What is held is never more than the frame that is arriving.
 */
export class FrameSplitter {
	readonly #minFrameBytes: number;
	readonly #maxFrameBytes: number;
	readonly #header = Buffer.alloc(4);
	#headerBytes = 0;
	#frameBytes = 0;
	#held: Buffer = Buffer.alloc(0);
	#heldBytes = 0;

	/** The limits are of the length field: what follows it, the kind included. */
	constructor(limits: { minFrameBytes: number; maxFrameBytes: number }) {
		this.#minFrameBytes = limits.minFrameBytes;
		this.#maxFrameBytes = limits.maxFrameBytes;
	}

	/** True in the middle of a frame. */
	get partial(): boolean {
		return this.#headerBytes > 0 || this.#frameBytes > 0;
	}

	/** Calls `onFrame` for each frame that `chunk` completes. Throws FrameError for a length out of bounds. */
	push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
		let at = 0;
		while (at < chunk.length) {
			if (this.#frameBytes === 0) {
				const rest = chunk.length - at;
				if (this.#headerBytes === 0 && rest >= 4) {
					this.#frameBytes = this.#checked(chunk.readUInt32LE(at));
					at += 4;
				} else {
					this.#header[this.#headerBytes++] = chunk[at++] as number;
					if (this.#headerBytes < 4) continue;
					this.#frameBytes = this.#checked(this.#header.readUInt32LE(0));
					this.#headerBytes = 0;
				}
			}
			if (this.#heldBytes === 0 && chunk.length - at >= this.#frameBytes) {
				const frame = chunk.subarray(at, at + this.#frameBytes);
				at += this.#frameBytes;
				this.#frameBytes = 0;
				onFrame(frame);
				continue;
			}
			at += this.#hold(chunk, at);
			if (this.#heldBytes === this.#frameBytes) onFrame(this.#release());
		}
	}

	#checked(frameBytes: number): number {
		if (frameBytes < this.#minFrameBytes || frameBytes > this.#maxFrameBytes) {
			throw new FrameError(
				`a frame of ${frameBytes} bytes, allowed are ${this.#minFrameBytes} to ${this.#maxFrameBytes}`,
			);
		}
		return frameBytes;
	}

	/** Memory grows with what has arrived, not with what the length field promises. */
	#hold(chunk: Buffer, at: number): number {
		const bytes = Math.min(
			chunk.length - at,
			this.#frameBytes - this.#heldBytes,
		);
		const needed = this.#heldBytes + bytes;
		if (needed > this.#held.length) {
			const larger = Buffer.allocUnsafe(
				Math.min(needed * growth, this.#frameBytes),
			);
			larger.set(this.#held.subarray(0, this.#heldBytes));
			this.#held = larger;
		}
		chunk.copy(this.#held, this.#heldBytes, at, at + bytes);
		this.#heldBytes = needed;
		return bytes;
	}

	#release(): Buffer {
		const frame = this.#held.subarray(0, this.#heldBytes);
		this.#held = Buffer.alloc(0);
		this.#heldBytes = 0;
		this.#frameBytes = 0;
		return frame;
	}
}

/** The other side broke the protocol: end that connection, and count it. */
export class FrameError extends Error {
	override readonly name = "FrameError";
}
