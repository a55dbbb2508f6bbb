import type { OperationEvent } from "../../../src/operations/events.js";
import type { Random } from "../../sim/random.js";

/** When a fault comes, where, and for how long; all of it chosen before the operation begins. */
export interface Moment {
	/** How much of the steps is behind the one that it comes with; from 0 up to 1. */
	readonly share: number;
	/** After that step has begun. */
	readonly afterMs: number;
	/** Null: until the operation has ended. */
	readonly heldMs: number | null;
	/** At another member than the one in hand. */
	readonly isElsewhere: boolean;
	/** Which of those that it may come to; from 0 up to 1. */
	readonly whose: number;
	readonly isAhead: boolean;
}

const longest = { afterMs: 1_500, heldMs: 20_000 };

export function momentOf(random: Random): Moment {
	return {
		...{ share: random.next(), afterMs: random.whole(0, longest.afterMs) },
		heldMs: random.chance(2 / 3) ? random.whole(1_000, longest.heldMs) : null,
		...{ isElsewhere: random.chance(0.25), whose: random.next() },
		isAhead: random.chance(0.5),
	};
}

/** For one whose operation had ended before it came. */
export function earlier(moment: Moment): Moment {
	return { ...moment, share: moment.share / 2, afterMs: 0 };
}

/** The member that it comes to. `inHand` is the node of the step, null where that has none. */
export function whoseHost(
	{ isElsewhere, whose }: Moment,
	members: readonly string[],
	inHand: string | null,
): string {
	if (inHand !== null && !isElsewhere) return inHand;
	const others = members.filter((id) => id !== inHand);
	return others[Math.floor(whose * others.length)] ?? members[0] ?? "";
}

/** A step that has begun. */
export interface Begun {
	readonly step: string;
	readonly node: string | null;
}

/** Finds the step of a moment in what an operation says while it runs. */
export class StepWatch {
	readonly #share: number;
	#steps: number;
	#behind = 0;
	#isFound = false;

	/** `steps`: how many it has where it shows no plan. */
	constructor(share: number, steps: number) {
		this.#share = share;
		this.#steps = steps;
	}

	/** The step, once: as it begins. Of those with nothing to do none is it, but the next one. */
	hear(event: OperationEvent): Begun | null {
		if (event.type === "plan") this.#steps = event.steps.length;
		if (event.type === "step-skipped") this.#behind++;
		if (event.type !== "step-started" || this.#isFound) return null;
		const { step, node } = event;
		this.#isFound = this.#behind >= Math.floor(this.#share * this.#steps);
		this.#behind++;
		return this.#isFound ? { step, node } : null;
	}
}
