import type { OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { runSteps, type Step } from "./step.js";

/** Runs steps that do not depend on each other at once, to the end of each, and returns every failure. */
export function runTogether(
	context: OperationContext,
	steps: readonly Step[],
): Promise<readonly unknown[]> {
	return runChains(
		context,
		steps.map((step) => [step]),
	);
}

/** The same of chains: the steps of each in order, as far as it gets. */
export async function runChains(
	context: OperationContext,
	chains: readonly (readonly Step[])[],
): Promise<readonly unknown[]> {
	const outcomes = await Promise.allSettled(
		chains.map((steps) => runSteps(context, steps, context.signal)),
	);
	throwIfEnded(context.signal);
	return outcomes.flatMap((outcome) =>
		outcome.status === "rejected" ? [outcome.reason] : [],
	);
}
