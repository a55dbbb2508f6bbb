import { commandFor, type OperationContext } from "../context.js";

/** What stands beside the reason of a refusal. */
export interface RefusalWords {
	readonly state: string;
	readonly next: string;
}

/** For who is refused on the way: something may be stopped or moved by then. */
export function begunWords(context: OperationContext): RefusalWords {
	return {
		state: "the old data is kept",
		next: `${commandFor(context, "operation abort")} puts back what was moved and starts what was stopped`,
	};
}
