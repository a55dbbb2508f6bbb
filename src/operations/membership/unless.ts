import type { Step } from "../steps/step.js";

/** The step, unless there is a reason why it has nothing to do. */
export function unless(step: Step, reason: () => Promise<string | null>): Step {
	return {
		...step,
		isDone: async () => (await reason()) ?? (await step.isDone?.()) ?? null,
	};
}
