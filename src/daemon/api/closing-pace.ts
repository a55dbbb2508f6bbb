/** Spreads `total` closings evenly over `overMs`: the first at once, then one each overMs / total. */
export class ClosingPace {
	readonly #total: number;
	readonly #overMs: number;

	constructor(total: number, overMs: number) {
		this.#total = total;
		this.#overMs = overMs;
	}

	/** How many are due after `elapsedMs`. */
	due(elapsedMs: number): number {
		if (elapsedMs >= this.#overMs) return this.#total;
		const share = elapsedMs / this.#overMs;
		return Math.min(this.#total, Math.floor(share * this.#total) + 1);
	}

	/** When the one after the first `done` is due, counted from the start. */
	dueAtMs(done: number): number {
		return this.#total === 0 ? 0 : (done / this.#total) * this.#overMs;
	}
}
