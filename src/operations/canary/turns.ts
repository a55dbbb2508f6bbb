import type { Step } from "../steps/step.js";

/**
 * Where an operation may be ended in order. A node that was stopped is brought back first: it would be left down, or
 * drained, by a budget that was meant to keep the cluster whole. What was only begun can be undone.
 */
export class Turns {
	#node: string | null = null;
	#isCommitted = false;
	#touched = false;

	/** Whether something stays changed when what can be undone is. */
	get touched(): boolean {
		return this.#touched;
	}

	began({ node, committed, looks, undo }: Step): void {
		if (node !== this.#node) this.#isCommitted = false;
		this.#node = node;
		this.#isCommitted ||= committed === true;
		this.#touched ||= looks !== true && undo === undefined;
	}

	mayEndBefore({ node }: Pick<Step, "node">): boolean {
		return !this.#isCommitted || node !== this.#node;
	}
}
