/** A small fast seeded generator (sfc32): the simulator's only source of chance, so that a seed is the whole run. */
export class Random {
	#a: number;
	#b: number;
	#c: number;
	#counter: number;

	constructor(seed: number, stream = 0) {
		this.#a = seed | 0;
		this.#b = Math.floor(seed / 2 ** 32) | 0;
		this.#c = stream | 0;
		this.#counter = 1;
		for (let i = 0; i < 15; i++) this.#word();
	}

	/** Uniform in [0, 1). */
	next(): number {
		return this.#word() / 2 ** 32;
	}

	/** A whole number in [0, limit). */
	below(limit: number): number {
		return Math.floor((this.#word() / 2 ** 32) * limit);
	}

	/** A whole number in [low, high]. */
	whole(low: number, high: number): number {
		return low + this.below(high - low + 1);
	}

	between(low: number, high: number): number {
		return low + this.next() * (high - low);
	}

	/** Between two positive numbers, every order of magnitude as likely as the next. */
	scaled(low: number, high: number): number {
		return low * (high / low) ** this.next();
	}

	chance(probability: number): boolean {
		return probability > 0 && this.next() < probability;
	}

	/** A waiting time with this mean. */
	exponential(mean: number): number {
		return -Math.log(1 - this.next()) * mean;
	}

	pick<T>(items: readonly T[]): T {
		return items[this.below(items.length)] as T;
	}

	shuffle<T>(items: T[]): T[] {
		for (let i = items.length - 1; i > 0; i--) {
			const j = this.below(i + 1);
			const swapped = items[i] as T;
			items[i] = items[j] as T;
			items[j] = swapped;
		}
		return items;
	}

	#word(): number {
		const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
		this.#counter = (this.#counter + 1) | 0;
		this.#a = this.#b ^ (this.#b >>> 9);
		this.#b = (this.#c + (this.#c << 3)) | 0;
		this.#c = (this.#c << 21) | (this.#c >>> 11);
		this.#c = (this.#c + sum) | 0;
		return sum >>> 0;
	}
}
