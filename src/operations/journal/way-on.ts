import { type ErrorKind, OperatorError, reasonOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";

type Named = Pick<OperationContext, "inventory">;

/** How an unfinished operation goes on, behind what has to be seen to first. */
export function wayOn(context: Named, remedy = ""): string {
	const resume = commandFor(context, "operation resume");
	const abort = commandFor(context, "operation abort");
	const first = remedy === "" ? "" : `${remedy}, then `;
	return `${first}${resume} goes on with it, ${abort} gives it up`;
}

/**
 * What ended an operation that the journal holds as unfinished. Given again its command would be refused, whatever the
 * place where it went wrong knew to advise: the way on is its resume.
 */
export function unfinishedBy(
	context: Named,
	error: unknown,
	{ hasTouched }: { readonly hasTouched: boolean },
): OperatorError {
	const state = "the operation stands unfinished in the journal";
	if (!(error instanceof OperatorError))
		return new OperatorError("unexpected", reasonOf(error), {
			...{ state, next: wayOn(context), cause: error },
		});
	return new OperatorError(kindAfter(error, hasTouched), error.message, {
		...(error.node === undefined ? {} : { node: error.node }),
		...{ problems: error.problems, isLasting: error.isLasting },
		...{ state: error.state ?? state, next: nextAfter(context, error) },
		cause: error.cause,
	});
}

/** A refusal says that nothing was touched; a pipeline is to know that something was. */
function kindAfter({ kind }: OperatorError, hasTouched: boolean): ErrorKind {
	return kind === "refused" && hasTouched ? "partial" : kind;
}

function nextAfter(context: Named, { next, remedy }: OperatorError): string {
	// Some say it themselves: a pause, a budget, what was half done.
	if (next?.includes(commandFor(context, "operation resume"))) return next;
	if (remedy !== undefined) return wayOn(context, remedy);
	return next === undefined
		? wayOn(context)
		: `${next}; then ${wayOn(context)}`;
}
