import type { BrokenRule } from "../broken.js";
import type { Mutant } from "../mutants.js";
import { runSeed } from "../run.js";

/** What a hunt is told, as JSON in its first argument. */
export interface HuntOrder {
	readonly seeds: number;
	readonly steps: number;
	readonly mutant?: Mutant;
	readonly broken?: BrokenRule;
}

/** What it prints, as one line of JSON. */
export interface Quarry {
	/** The first seed that broke a rule; null when none did. */
	readonly seed: number | null;
	/** The rule's name, as in Violation; null when none was broken. */
	readonly rule: string | null;
	/** What it says, or why the hunt came to no end; null when all went well and nothing was broken. */
	readonly message: string | null;
}

function hunt({ seeds, ...settings }: HuntOrder): Quarry {
	for (let seed = 1; seed <= seeds; seed++) {
		const { failure } = runSeed(seed, settings);
		if (failure === null) continue;
		const { invariant: rule, message } = failure;
		return { seed, rule, message };
	}
	return { seed: null, rule: null, message: null };
}

const order = JSON.parse(process.argv[2] as string) as HuntOrder;
console.log(JSON.stringify(hunt(order)));
