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

/** The smallest value that this share, 0 to 1, does not exceed. NaN for none. */
export function percentile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	const rank = Math.max(1, Math.ceil(share * sorted.length));
	return sorted[rank - 1] ?? Number.NaN;
}
