import type { OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { runSteps, type Step } from "./step.js";

/** Runs steps that do not depend on each other at once, to the end of each, and returns every failure. */
export async function runTogether(
	context: OperationContext,
	steps: readonly Step[],
): Promise<readonly unknown[]> {
	const outcomes = await Promise.allSettled(
		steps.map((step) => runSteps(context, [step], context.signal)),
	);
	throwIfEnded(context.signal);
	return outcomes.flatMap((outcome) =>
		outcome.status === "rejected" ? [outcome.reason] : [],
	);
}
