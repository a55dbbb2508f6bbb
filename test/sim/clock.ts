/** A node's own monotonic clock: at its own rate, from any beginning, with jumps forward. */
export class LocalClock {
	readonly #worldMs: () => number;
	#baseMs: number;
	#fromMs = 0;
	#rate = 1;

	constructor(worldMs: () => number, beginMs: number) {
		this.#worldMs = worldMs;
		this.#baseMs = beginMs;
	}

	get nowMs(): number {
		return this.#baseMs + (this.#worldMs() - this.#fromMs) * this.#rate;
	}

	/** From now on it runs at `rate`, after a jump. */
	set(rate: number, jumpMs: number): void {
		this.#baseMs = this.nowMs + jumpMs;
		this.#fromMs = this.#worldMs();
		this.#rate = rate;
	}
}

/** The slowest and the fastest rate of clocks that drift apart by at most `share`, as the core is promised (P43). */
export function ratesWithin(share: number): {
	slowest: number;
	fastest: number;
} {
	const fastest = 1 / Math.sqrt(1 - share);
	return { slowest: 1 / fastest, fastest };
}
