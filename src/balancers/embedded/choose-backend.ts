export interface Candidate {
	readonly node: string;
	readonly admitting: boolean;
	readonly connections: number;
	/** Grows with every choice: the larger, the more recently chosen. */
	readonly chosenAt: number;
}

export interface Preference {
	/** First among those that admit, for example nodes that a roll has already restarted. */
	readonly preferred: ReadonlySet<string>;
	/** Not these: this connection failed to reach them. */
	readonly tried: ReadonlySet<string>;
}

/**
 * Where the next connection goes, or null when there is no node for it: only those that admit; preferred ones before
 * others; then the fewest connections; then the one not chosen for longest, so that short connections, which leave
 * the counts at zero, spread too.
 */
export function chooseBackend<Backend extends Candidate>(
	backends: readonly Backend[],
	{ preferred, tried }: Preference,
): Backend | null {
	const open = backends.filter(
		({ node, admitting }) => admitting && !tried.has(node),
	);
	const first = open.filter(({ node }) => preferred.has(node));
	const [best = null] = (first.length > 0 ? first : open).toSorted(
		(a, b) => a.connections - b.connections || a.chosenAt - b.chosenAt,
	);
	return best;
}
