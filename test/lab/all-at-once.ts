import { OperatorError, reasonOf } from "../../src/errors.js";

/** What failed is told when all have come to their end. */
export async function forEach<T>(
	things: readonly T[],
	act: (thing: T) => Promise<void>,
): Promise<void> {
	const outcomes = await Promise.allSettled(things.map(act));
	const failures = outcomes.flatMap((outcome) =>
		outcome.status === "rejected" ? [outcome.reason as unknown] : [],
	);
	const [first, ...others] = failures;
	if (first === undefined) return;
	if (others.length === 0) throw first;
	throw new OperatorError("unexpected", "more than one machine failed", {
		problems: failures.map(lineOf),
		cause: first,
	});
}

function lineOf(failure: unknown): string {
	const state = failure instanceof OperatorError ? failure.state : undefined;
	return [reasonOf(failure), ...(state === undefined ? [] : [state])].join(
		": ",
	);
}
