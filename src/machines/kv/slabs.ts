/** Where a slot lies: the number of its slab times 2^20, and its offset there. */
export type Place = number;

interface Slab {
	readonly bytes: Buffer;
	/** The same memory. */
	readonly words: Int32Array;
	/** Who may write into it; for everyone else it is shared, and stays as it is. */
	readonly owner: object;
	/** Where the next slot goes. */
	used: number;
}

const placeBits = 2 ** 20;
export const largestSlab = placeBits;
const smallestSlab = 16 * 1024;
/** A slot larger than this has a slab of its own. */
const largestShare = largestSlab / 4;
/** Slabs that were emptied and are kept to be filled again. */
const mostSpares = 4;
/** What is taken for nothing before it is worth while to move what lives. */
const slackBytes = 2 * largestSlab;

/**
 * Memory outside the heap for many small slots, in few pieces. A million buffers of their own, or strings, would be
 * visited by every garbage collection, and held every command that comes meanwhile; this costs it nothing.
 *
 * Slots go one after another into the newest slab, and room that was released comes back when its whole slab is empty.
 * `emptiest` names the slab whose slots are to be moved elsewhere first.
 */
export class Slabs {
	#slabs: (Slab | null)[] = [];
	/** Bytes in use of each slab. Not in the slab, as a frozen view counts for itself. */
	#live: number[] = [];
	#unused: number[] = [];
	#spares: Slab[] = [];
	#current = -1;
	#emptiest = -1;
	#owner: object = {};
	#totalBytes = 0;
	#liveBytes = 0;

	/** Taken from the system. */
	get totalBytes(): number {
		return this.#totalBytes;
	}

	/** Room for `size` bytes, a multiple of 8. */
	allocate(size: number): Place {
		let number = this.#current;
		let slab = number < 0 ? null : (this.#slabs[number] as Slab);
		if (slab === null || slab.used + size > slab.bytes.length) {
			number = this.#add(size);
			slab = this.#slabs[number] as Slab;
		}
		const offset = slab.used;
		slab.used += size;
		this.#live[number] = (this.#live[number] as number) + size;
		this.#liveBytes += size;
		return number * placeBits + offset;
	}

	/** Gives back a slot of `size` bytes. */
	release(place: Place, size: number): void {
		const number = Math.floor(place / placeBits);
		const live = (this.#live[number] as number) - size;
		this.#live[number] = live;
		this.#liveBytes -= size;
		if (live === 0 && number !== this.#current) this.#drop(number);
	}

	/** Whether the slot may be written to: no frozen view has it. */
	isOwn(place: Place): boolean {
		return this.#slabOf(place).owner === this.#owner;
	}

	bytesOf(place: Place): Buffer {
		return this.#slabOf(place).bytes;
	}

	wordsOf(place: Place): Int32Array {
		return this.#slabOf(place).words;
	}

	/** In `bytesOf`. */
	offsetOf(place: Place): number {
		return place % placeBits;
	}

	/** The place of the first slot of the emptiest slab, when more than half of all memory is in use for nothing. */
	emptiest(): Place | null {
		if (this.#totalBytes <= 2 * this.#liveBytes + slackBytes) return null;
		let found = -1;
		let least = 0.75;
		for (let number = 0; number < this.#slabs.length; number++) {
			const slab = this.#slabs[number];
			if (!slab || number === this.#current) continue;
			const share = (this.#live[number] as number) / slab.bytes.length;
			if (share < least) {
				least = share;
				found = number;
			}
		}
		this.#emptiest = found;
		return found < 0 ? null : found * placeBits;
	}

	/** Whether it lies in the slab that `emptiest` named last: false past its slots, and once it was given back. */
	isInEmptiest(place: Place): boolean {
		const number = Math.floor(place / placeBits);
		return (
			number === this.#emptiest &&
			place % placeBits < (this.#slabs[number] as Slab).used
		);
	}

	/** The slots as they are now. Neither of the two writes from now on into a slab that both have. */
	frozen(): Slabs {
		const view = new Slabs();
		view.#slabs = this.#slabs.slice();
		view.#live = this.#live.slice();
		view.#unused = this.#unused.slice();
		view.#totalBytes = this.#totalBytes;
		view.#liveBytes = this.#liveBytes;
		this.#owner = {};
		this.#spares = [];
		this.#leaveCurrent();
		return view;
	}

	#slabOf(place: Place): Slab {
		return this.#slabs[Math.floor(place / placeBits)] as Slab;
	}

	#add(size: number): number {
		this.#leaveCurrent();
		const slab = this.#spare(size) ?? this.#fresh(size);
		const number = this.#unused.pop() ?? this.#slabs.length;
		this.#slabs[number] = slab;
		this.#live[number] = 0;
		this.#totalBytes += slab.bytes.length;
		if (size <= largestShare) this.#current = number;
		return number;
	}

	#spare(size: number): Slab | null {
		if (size > largestShare) return null;
		const slab = this.#spares.pop() ?? null;
		if (slab !== null) slab.used = 0;
		return slab;
	}

	/** Small as long as there is little to hold. */
	#fresh(size: number): Slab {
		let bytes = size;
		if (size <= largestShare) {
			bytes = smallestSlab;
			while (
				bytes < largestSlab &&
				(bytes < this.#totalBytes || bytes < 4 * size)
			)
				bytes *= 2;
		}
		const memory = Buffer.allocUnsafeSlow(bytes);
		return {
			bytes: memory,
			words: new Int32Array(memory.buffer, 0, bytes / 4),
			owner: this.#owner,
			used: 0,
		};
	}

	/** Nothing more goes into it; one in which nothing lives would never be released. */
	#leaveCurrent(): void {
		const number = this.#current;
		this.#current = -1;
		if (number >= 0 && this.#live[number] === 0) this.#drop(number);
	}

	#drop(number: number): void {
		const slab = this.#slabs[number] as Slab;
		this.#slabs[number] = null;
		if (number === this.#emptiest) this.#emptiest = -1;
		this.#unused.push(number);
		this.#totalBytes -= slab.bytes.length;
		if (
			slab.owner === this.#owner &&
			slab.bytes.length === largestSlab &&
			this.#spares.length < mostSpares
		)
			this.#spares.push(slab);
	}
}
