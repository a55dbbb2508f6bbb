import type { Random } from "../sim/random.js";
import type { Blow } from "./operator.js";

/** How one operation is disturbed. */
export interface Disturbance {
	/** The first hits the operation, each other one whoever takes it up. */
	readonly blows: readonly Blow[];
	readonly end: "resume" | "abort";
}

const maxOthers = 3;
const within = { stepMs: 400, processMs: 1_500 };

/** Visits every boundary of one operation, resumed and aborted, killed and terminated; between them, random moments. */
export class Course {
	readonly #boundaries: number;
	#turn = 0;
	/** Of this lap; in another order each time, so that a short run strikes early steps and late ones. */
	#toCome: number[] = [];

	constructor(boundaries: number) {
		this.#boundaries = boundaries;
	}

	next(random: Random): Disturbance {
		const turn = this.#turn++;
		const length = Math.max(1, this.#boundaries);
		const lap = Math.floor(turn / length);
		const hasSteps = this.#boundaries > 0;
		if (turn % length === 0) {
			const all = Array.from({ length }, (_, ordinal) => ordinal);
			this.#toCome = random.shuffle(all);
		}
		const at = hasSteps ? (this.#toCome.pop() ?? 0) : -1;
		const isWithin = !hasSteps || lap % 3 === 2;
		const others = random.whole(0, maxOthers);
		const isResumed = (turn + lap) % 2 === 0;
		return {
			blows: [
				this.#blow(random, { at, isExact: !isWithin }),
				...Array.from({ length: others }, () => this.#other(random)),
			],
			end: isResumed ? "resume" : "abort",
		};
	}

	/** Early, as there is less and less left to do. */
	#other(random: Random): Blow {
		const isWithin = this.#boundaries === 0;
		const at = Math.floor(random.next() ** 2 * this.#boundaries);
		const isExact = !isWithin && random.chance(0.5);
		return this.#blow(random, { at: isWithin ? -1 : at, isExact });
	}

	#blow(
		random: Random,
		{ at, isExact }: { readonly at: number; readonly isExact: boolean },
	): Blow {
		const longestMs = at === -1 ? within.processMs : within.stepMs;
		return {
			at,
			afterMs: isExact ? 0 : random.whole(1, longestMs),
			how: random.chance(0.75) ? "kill" : "terminate",
		};
	}
}

export function describe({ blows, end }: Disturbance): string {
	const how = blows.map(({ at, afterMs, how }) => `${how} at ${at}+${afterMs}`);
	return `${how.join(", ")}, ${end}`;
}
