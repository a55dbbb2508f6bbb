import type { WriteBatch } from "./log-storage.js";

/** What the next batch may build upon. */
export interface LogEdge {
	readonly lastIndex: number;
	/** Entries up to here are committed: nothing may take their place. */
	readonly commit: number;
	/** A snapshot stands for the entries up to here: they cannot be written again. */
	readonly base: number;
}

/**
 * The edge behind `batches`. Throws a RangeError when an index would be left out, a committed entry replaced or undone
 * by a reset, or one committed that is not here: better to stop than to write what breaks consensus.
 */
export function checkOrder(
	batches: readonly WriteBatch[],
	from: LogEdge,
): LogEdge {
	let { lastIndex, commit, base } = from;
	for (const { reset, firstIndex: first, ...batch } of batches) {
		if (reset !== null) {
			if (!(reset.index >= Math.max(1, commit, base)))
				throw new RangeError(
					`a reset to ${reset.index} would undo what is committed up to ${Math.max(commit, base)}`,
				);
			base = reset.index;
			lastIndex = reset.index;
		}
		if (batch.blocks.length > 0) {
			checkEntries(first, { lastIndex, commit, base });
			lastIndex = batch.lastIndex;
		}
		const said = batch.hardState?.commit ?? 0;
		if (said > lastIndex)
			throw new RangeError(
				`commit ${said} is beyond the last entry, ${lastIndex}`,
			);
		commit = Math.max(commit, said);
	}
	return { lastIndex, commit, base };
}

function checkEntries(first: number, edge: LogEdge): void {
	const { lastIndex, commit, base } = edge;
	if (first > lastIndex + 1)
		throw new RangeError(`entry ${first} cannot follow ${lastIndex}`);
	if (first <= commit)
		throw new RangeError(
			`entry ${first} would replace a committed one: commit is ${commit}`,
		);
	if (first <= base)
		throw new RangeError(
			`entry ${first} would replace one that a snapshot stands for: it goes up to ${base}`,
		);
}
