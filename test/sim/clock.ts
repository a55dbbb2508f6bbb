/** The clock runs evenly from `fromMs` on: it shows `baseMs` then. */
interface Stretch {
	readonly fromMs: number;
	readonly baseMs: number;
	readonly rate: number;
}

/** A node's own monotonic clock: at its own rate, from any beginning, with jumps forward. */
export class LocalClock {
	readonly #worldMs: () => number;
	/** Rising in both times. */
	readonly #stretches: Stretch[];

	constructor(worldMs: () => number, beginMs: number) {
		this.#worldMs = worldMs;
		this.#stretches = [{ fromMs: 0, baseMs: beginMs, rate: 1 }];
	}

	get nowMs(): number {
		const { fromMs, baseMs, rate } = this.#last;
		return baseMs + (this.#worldMs() - fromMs) * rate;
	}

	/** From now on it runs at `rate`, after a jump. */
	set(rate: number, jumpMs: number): void {
		const baseMs = this.nowMs + jumpMs;
		this.#stretches.push({ fromMs: this.#worldMs(), baseMs, rate });
	}

	/** The world's time at which it showed `clockMs`, or, where it jumped over that, last showed less. */
	worldMsAt(clockMs: number): number {
		let endMs = Number.POSITIVE_INFINITY;
		for (let at = this.#stretches.length - 1; at >= 0; at--) {
			const { fromMs, baseMs, rate } = this.#stretches[at] as Stretch;
			if (clockMs >= baseMs)
				return Math.min(endMs, fromMs + (clockMs - baseMs) / rate);
			endMs = fromMs;
		}
		return Number.NEGATIVE_INFINITY;
	}

	get #last(): Stretch {
		return this.#stretches[this.#stretches.length - 1] as Stretch;
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
