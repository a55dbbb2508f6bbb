/** One thread's part of an open loop: of all arrivals that are due, every `of`-th, from number `index` on. */
export interface ArrivalShare {
	/** Of all threads together. */
	readonly perSecond: number;
	readonly index: number;
	readonly of: number;
}

/**
 * When requests of an open loop are due: evenly, whatever becomes of those before. A generator that comes late finds
 * all that were due meanwhile; each counts from when it was due, so that no stall hides (coordinated omission).
 */
export class Arrivals {
	readonly #share: ArrivalShare;
	readonly #startMs: number;
	#taken = 0;

	constructor(share: ArrivalShare, startMs: number) {
		this.#share = share;
		this.#startMs = startMs;
	}

	/** When the next one is due. */
	get nextMs(): number {
		const { perSecond, index, of } = this.#share;
		return this.#startMs + ((index + this.#taken * of) * 1000) / perSecond;
	}

	/** Those that are due by `nowMs`, in order, `limit` at most; each is given out once. */
	take(nowMs: number, limit: number): number[] {
		const due: number[] = [];
		while (due.length < limit) {
			const { nextMs } = this;
			if (nextMs > nowMs) break;
			due.push(nextMs);
			this.#taken++;
		}
		return due;
	}
}
