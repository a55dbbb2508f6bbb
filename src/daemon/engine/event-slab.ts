const nothing = new Uint8Array(0);
const slabBytes = 64 * 1024;
const largestInSlab = slabBytes / 4;

/**
 * Copies events side by side. An event as it comes is a view of a network buffer, all of which would live as long as the
 * event; and they are dropped in the order in which they came, so a slab goes when its last one does. A large one is kept
 * as it is where it is a part of its command, and a good part of that buffer.
 */
export class Slab {
	#buffer = new Uint8Array(0);
	#used = 0;
	/** Where what was kept last begins in what `keep` returned. */
	start = 0;

	/** `command` is what the event came of. A part of it stays as it is; whatever else belongs to the machine. */
	keep(event: Uint8Array, command: Uint8Array = nothing): Uint8Array {
		this.start = 0;
		if (event.length > largestInSlab) {
			const isPart = event.buffer === command.buffer;
			return isPart && isWorthItsMemory(event) ? event : new Uint8Array(event);
		}
		if (this.#used + event.length > this.#buffer.length) {
			this.#buffer = new Uint8Array(slabBytes);
			this.#used = 0;
		}
		this.start = this.#used;
		this.#used += event.length;
		this.#buffer.set(event, this.start);
		return this.#buffer;
	}

	copy(event: Uint8Array): Uint8Array {
		const memory = this.keep(event);
		return memory.subarray(this.start, this.start + event.length);
	}
}

/**
 * Whether a copy would win little. What is kept with the event counts towards the limit, so this is about how many there
 * are, not about memory.
 */
function isWorthItsMemory(event: Uint8Array): boolean {
	return event.length * 4 >= event.buffer.byteLength;
}

/** What is kept for an event of that length alone, or for a row of them in one piece of memory, next to `neighbour`. */
export function bytesFor(
	memory: ArrayBufferLike,
	length: number,
	neighbour: ArrayBufferLike | null,
): number {
	if (length <= largestInSlab) return length;
	return memory === neighbour ? 0 : memory.byteLength;
}
