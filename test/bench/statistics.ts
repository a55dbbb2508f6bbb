/** The middle one; of an even number the lower of the two. NaN for none. */
export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Median with the smallest and the largest, as these machines are noisy. */
export function spread(values: readonly number[]): {
	median: number;
	min: number;
	max: number;
} {
	return {
		median: median(values),
		min: Math.min(...values),
		max: Math.max(...values),
	};
}
