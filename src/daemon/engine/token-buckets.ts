/** From this rate on there is no limit: no connection brings so much. */
export const unlimitedPerSecond = 1_000_000;

const maxPromisedMs = 5000;
/** Buckets are looked through for full ones when there are this many more than were left the last time. */
const sweepEvery = 1024;

interface Bucket {
	/** When it is full again. */
	fullAtMs: number;
	/** Up to when its refused commands were told to wait. */
	promisedMs: number;
}

/** Commands a second of each client, with a burst. A full bucket is as good as none, and is forgotten. */
export class TokenBuckets {
	readonly #intervalMs: number;
	readonly #burstMs: number;
	readonly #isUnlimited: boolean;
	readonly #buckets = new Map<string, Bucket>();
	#sweepAt = sweepEvery;

	constructor(perSecond: number, burst: number) {
		this.#isUnlimited = perSecond >= unlimitedPerSecond;
		this.#intervalMs = 1000 / perSecond;
		this.#burstMs = burst * this.#intervalMs;
	}

	get size(): number {
		return this.#buckets.size;
	}

	/**
	 * Takes a token of `client`: 0, or for how many milliseconds there is none. Each that is refused is told a time of
	 * its own, as if it stood in a line: those who come back when they were told find their token.
	 */
	take(client: string, nowMs: number): number {
		if (this.#isUnlimited) return 0;
		const bucket = this.#bucket(client, nowMs);
		const fullAtMs = Math.max(bucket.fullAtMs, nowMs) + this.#intervalMs;
		const waitMs = fullAtMs - nowMs - this.#burstMs;
		if (waitMs <= 0) {
			bucket.fullAtMs = fullAtMs;
			return 0;
		}
		bucket.promisedMs = Math.min(
			Math.max(bucket.promisedMs + this.#intervalMs, nowMs + waitMs),
			nowMs + maxPromisedMs,
		);
		return Math.ceil(bucket.promisedMs - nowMs);
	}

	#bucket(client: string, nowMs: number): Bucket {
		const known = this.#buckets.get(client);
		if (known !== undefined) return known;
		if (this.#buckets.size >= this.#sweepAt) this.#sweep(nowMs);
		const bucket = { fullAtMs: nowMs, promisedMs: 0 };
		this.#buckets.set(client, bucket);
		return bucket;
	}

	#sweep(nowMs: number): void {
		for (const [client, { fullAtMs }] of this.#buckets)
			if (fullAtMs <= nowMs) this.#buckets.delete(client);
		this.#sweepAt = this.#buckets.size + sweepEvery;
	}
}
