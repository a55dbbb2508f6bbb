import { type ErrorKind, OperatorError, reasonOf } from "../../errors.js";
import { commandFor } from "../context.js";
import type { Run } from "../operation.js";
import type { Tally } from "./new-cluster-steps.js";

const ownWord: ReadonlySet<ErrorKind> = new Set([
	...["interrupted", "terminated", "timeout", "locked"],
] as ErrorKind[]);

/** Where nothing was moved yet the cause speaks for itself; else there is a resume and an abort. */
export function failureOf(
	run: Run,
	{ isMoved }: Tally,
	cause: unknown,
): OperatorError {
	const operator = cause instanceof OperatorError ? cause : null;
	if (!isMoved && !run.isResumed && operator !== null) return operator;
	const kind = operator?.kind ?? "unexpected";
	const first = operator?.remedy ? `${operator.remedy}, then ` : "";
	const resume = commandFor(run.context, "operation resume");
	const abort = commandFor(run.context, "operation abort");
	return new OperatorError(
		ownWord.has(kind) || operator === null ? kind : "partial",
		reasonOf(cause),
		{
			...(operator?.node === undefined ? {} : { node: operator.node }),
			problems: operator?.problems ?? [],
			state:
				operator?.state ??
				"the old data is kept; the new cluster is not whole yet",
			next: `${first}${resume} goes on with it; ${abort} puts back what was there, as long as no node of the new cluster was started`,
			cause,
		},
	);
}
