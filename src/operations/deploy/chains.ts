import { OperatorError, reasonOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { runSteps, type Step } from "../steps/step.js";

/** What is done on one host, in order. */
export interface Chain {
	readonly host: string;
	readonly steps: readonly Step[];
}

/**
 * Goes through all hosts at once, each as far as it gets. Throws OperatorError with what failed on which, when all have come
 * to their end.
 */
export async function runChains(
	context: OperationContext,
	chains: readonly Chain[],
	// What a failure leaves: the state of things, in a sentence.
	{ signal, state }: { readonly signal: AbortSignal; readonly state: string },
): Promise<void> {
	const outcomes = await Promise.allSettled(
		chains.map(({ steps }) => runSteps(context, steps, signal)),
	);
	throwIfEnded(signal);
	const failures = outcomes.flatMap((one, at) =>
		one.status === "rejected"
			? [{ host: chains[at]?.host ?? "", error: one.reason as unknown }]
			: [],
	);
	if (failures.length === 0) return;
	throw hostFailure(context, failures, { hosts: chains.length, state });
}

interface Failure {
	readonly host: string;
	readonly error: unknown;
}

function hostFailure(
	context: OperationContext,
	failures: readonly Failure[],
	{ hosts, state }: { readonly hosts: number; readonly state: string },
): OperatorError {
	return new OperatorError(
		failures.length < hosts ? "partial" : kindOf(failures[0]?.error),
		`${failures.length} of ${hosts} hosts are not as they are to be: ${failures.map(({ host }) => host).join(", ")}`,
		{
			problems: failures.flatMap(problemsOf),
			state,
			next: `mend that, then ${commandFor(context, "deploy")} goes on`,
			cause: failures[0]?.error,
		},
	);
}

export function kindOf(error: unknown): OperatorError["kind"] {
	return error instanceof OperatorError ? error.kind : "unexpected";
}

/** An error with all that it says, for a list of several. */
export function problemsOf({ host, error }: Failure): string[] {
	const next = error instanceof OperatorError ? error.next : undefined;
	const problems = error instanceof OperatorError ? error.problems : [];
	return [
		`${host}: ${reasonOf(error)}${next === undefined ? "" : `; ${next}`}`,
		...problems.map((problem) => `  ${problem}`),
	];
}
