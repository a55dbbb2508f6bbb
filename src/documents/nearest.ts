/**
 * The word of `known` that `word` was most likely meant to be, or null when none is near: at most a third of its
 * letters, and never more than three, differ.
 */
export function nearest(word: string, known: readonly string[]): string | null {
	const given = word.toLowerCase();
	let best: string | null = null;
	let bestDistance = Math.min(3, Math.max(1, Math.floor(word.length / 3))) + 1;
	for (const candidate of known) {
		const distance = editDistance(given, candidate.toLowerCase());
		if (distance < bestDistance) {
			best = candidate;
			bestDistance = distance;
		}
	}
	return best;
}

/** Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). */
export function editDistance(from: string, to: string): number {
	// Bounds the work on a key that is a whole paragraph.
	if (Math.abs(from.length - to.length) > 3) return Number.POSITIVE_INFINITY;
	let beforeLast: number[] = [];
	let last = Array.from({ length: to.length + 1 }, (_, index) => index);
	for (let row = 1; row <= from.length; row += 1) {
		const current = [row];
		for (let column = 1; column <= to.length; column += 1) {
			const same = from[row - 1] === to[column - 1];
			const cost = Math.min(
				(last[column] ?? 0) + 1,
				(current[column - 1] ?? 0) + 1,
				(last[column - 1] ?? 0) + (same ? 0 : 1),
			);
			const swapped =
				row > 1 &&
				column > 1 &&
				from[row - 1] === to[column - 2] &&
				from[row - 2] === to[column - 1];
			current.push(
				swapped ? Math.min(cost, (beforeLast[column - 2] ?? 0) + 1) : cost,
			);
		}
		beforeLast = last;
		last = current;
	}
	return last[to.length] ?? 0;
}
