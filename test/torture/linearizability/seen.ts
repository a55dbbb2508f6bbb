import { OperationSet, type SetCopy } from "./operation-set.js";

/** What was placed, and the states that this has led to before: none needs to be looked at twice. */
export class Seen {
	readonly definite: OperationSet;
	readonly optional: OperationSet;
	readonly #found = new Map<number, Place[]>();
	#effort = 0;

	constructor(definite: number, optional: number) {
		this.definite = new OperationSet(definite);
		this.optional = new OperationSet(optional);
	}

	/** How much has been kept and compared: what a search has cost. */
	get effort(): number {
		return this.#effort;
	}

	/**
	 * True, and remembered, unless the same definite operations have led to `state` before, at the cost of no more optional
	 * ones: as these may take effect at any later time, to have more of them left can only be better.
	 */
	isNew(state: unknown): boolean {
		const { hash } = this.definite;
		let places = this.#found.get(hash);
		if (places === undefined) {
			places = [];
			this.#found.set(hash, places);
		}
		this.#effort += places.length + 1;
		for (const { definite, optional, state: known } of places) {
			if (known !== state || !this.definite.equals(definite)) continue;
			if (this.optional.includes(optional)) return false;
		}
		places.push({
			definite: this.definite.copy(),
			optional: this.optional.copy(),
			state,
		});
		return true;
	}
}

interface Place {
	readonly definite: SetCopy;
	readonly optional: SetCopy;
	readonly state: unknown;
}
