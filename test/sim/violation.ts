/** A rule of section 3.3 of the pitfalls was broken. `invariant` is its short name. */
export class Violation extends Error {
	readonly invariant: string;

	constructor(invariant: string, detail: string) {
		super(`${invariant}: ${detail}`);
		this.invariant = invariant;
	}
}

/** Throws a Violation unless `holds`. Callers build `detail` lazily: this is asked many times per step. */
export function demand(
	holds: boolean,
	invariant: string,
	detail: () => string,
): asserts holds {
	if (!holds) throw new Violation(invariant, detail());
}
