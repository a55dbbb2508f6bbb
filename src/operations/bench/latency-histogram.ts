/**
 * Latencies, counted as HdrHistogram counts them: exact to the microsecond below a millisecond, then 512 steps an
 * octave, so that a value is at most 0.2 % too high. The space is the same for ten values and for ten million, and
 * counts of several threads add up.
 */
export class LatencyHistogram {
	readonly #cells = new Float64Array(cellCount);
	#count = 0;
	#sumUs = 0;
	#maxUs = 0;

	/** Below 0 counts as 0, beyond an hour as an hour. */
	record(latencyMs: number): void {
		const us = Math.min(maxUs, Math.max(0, Math.round(latencyMs * 1000)));
		const cell = cellOf(us);
		this.#cells[cell] = (this.#cells[cell] as number) + 1;
		this.#count++;
		this.#sumUs += us;
		if (us > this.#maxUs) this.#maxUs = us;
	}

	get count(): number {
		return this.#count;
	}

	get meanMs(): number {
		return this.#count === 0 ? 0 : this.#sumUs / this.#count / 1000;
	}

	get maxMs(): number {
		return this.#maxUs / 1000;
	}

	/** The latency that this share of all, 0 to 1, did not exceed; 0 where there are none. */
	percentileMs(share: number): number {
		const rank = Math.max(1, Math.ceil(share * this.#count));
		if (rank >= this.#count) return this.maxMs;
		let seen = 0;
		for (let cell = 0; cell < cellCount; cell++) {
			seen += this.#cells[cell] as number;
			if (seen >= rank) return Math.min(highestUs(cell), this.#maxUs) / 1000;
		}
		return this.maxMs;
	}

	add({ cells, sumUs, maxUs }: LatencyCounts): void {
		for (let at = 0; at < cells.length; at += 2) {
			const cell = cells[at] as number;
			const count = cells[at + 1] as number;
			this.#cells[cell] = (this.#cells[cell] as number) + count;
			this.#count += count;
		}
		this.#sumUs += sumUs;
		this.#maxUs = Math.max(this.#maxUs, maxUs);
	}

	/** What was counted so far, to be sent; the counting begins anew. */
	take(): LatencyCounts {
		const cells: number[] = [];
		for (let cell = 0; cell < cellCount && this.#count > 0; cell++) {
			const count = this.#cells[cell] as number;
			if (count > 0) cells.push(cell, count);
		}
		const counts = { cells, sumUs: this.#sumUs, maxUs: this.#maxUs };
		if (this.#count > 0) this.#cells.fill(0);
		this.#count = 0;
		this.#sumUs = 0;
		this.#maxUs = 0;
		return counts;
	}
}

/** A histogram on its way between threads: what is empty is left out. */
export interface LatencyCounts {
	/** The number of a cell and its count, in turn. */
	readonly cells: readonly number[];
	readonly sumUs: number;
	readonly maxUs: number;
}

const maxUs = 3_600_000_000;
const stepsPerOctave = 512;
const cellCount = cellOf(maxUs) + 1;

function cellOf(us: number): number {
	const octave = Math.max(0, 22 - Math.clz32(us));
	return stepsPerOctave * octave + (us >>> octave);
}

/** The highest of all values that share a cell: a percentile is never told too low. */
function highestUs(cell: number): number {
	if (cell < 2 * stepsPerOctave) return cell;
	const octave = Math.floor(cell / stepsPerOctave) - 1;
	return (cell - stepsPerOctave * octave + 1) * 2 ** octave - 1;
}
