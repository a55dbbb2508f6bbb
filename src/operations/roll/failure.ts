import {
	type ErrorKind,
	OperatorError,
	reasonOf,
	wayOnOf,
} from "../../errors.js";
import { commandFor } from "../context.js";
import { wayOn } from "../journal/way-on.js";
import type { Roll } from "./roll.js";

/**
 * What the operator is told when a roll stops: the cause, what was restarted and what was not, what became of the node
 * in hand, and the one command that goes on. The kind stays the cause's own as long as no node was taken down; else it
 * is "partial", so that a pipeline knows to resume. An interruption stays one; so does a timeout that left all whole.
 */
export function rollFailure(roll: Roll, cause: unknown): OperatorError {
	const operator = cause instanceof OperatorError ? cause : null;
	return new OperatorError(kindOf(roll, operator), reasonOf(cause), {
		...(operator?.node === undefined ? {} : { node: operator.node }),
		problems: operator?.problems ?? [],
		state: stateOf(roll) || nothingDone(roll),
		// Who ends it at a step boundary knows how it goes on: a pause, a budget.
		...(operator?.next === undefined
			? nextOf(roll, operator)
			: wayOnOf(operator)),
		cause,
	});
}

function kindOf(roll: Roll, cause: OperatorError | null): ErrorKind {
	if (cause === null) return "unexpected";
	if (cause.kind === "interrupted" || cause.kind === "terminated")
		return cause.kind;
	const { current, restarted } = roll;
	const half = current !== null && current.stoppedAtMs !== null;
	if (half && !restarted.includes(current.node)) return "partial";
	if (cause.kind === "timeout") return "timeout";
	return restarted.length > 0 ? "partial" : cause.kind;
}

function stateOf({ restarted, current, remaining }: Roll): string {
	const parts = [
		restarted.length > 0
			? `restarted and back in service: ${restarted.join(", ")}`
			: "",
		current === null || restarted.includes(current.node) ? "" : inHand(current),
		remaining.length > 0 ? `not touched: ${remaining.join(", ")}` : "",
	];
	return parts.filter((part) => part !== "").join("; ");
}

function nothingDone({ isResumed }: Roll): string {
	return isResumed
		? "the operation is as unfinished as it was"
		: "nothing was touched";
}

function inHand({
	node,
	stoppedAtMs,
	started,
	readyAtMs,
	takenBackTo,
}: Passage): string {
	if (takenBackTo !== null)
		return `${node} was taken back: it runs ${takenBackTo} again`;
	if (stoppedAtMs === null)
		return `${node} was not stopped, and its drain was ended`;
	if (!started) return `${node} was told to stop and was not started again`;
	return readyAtMs === null
		? `${node} was restarted and is not confirmed to be ready`
		: `${node} was restarted and was ready, but is not confirmed to stay so`;
}

type Passage = NonNullable<Roll["current"]>;

/** What had touched nothing is given again, once what is down runs; what had is to be taken up. */
function nextOf(
	{ context, current, goal, remaining, restarted, wished, isResumed }: Roll,
	cause: OperatorError | null,
): { readonly next: string; readonly remedy?: string } {
	const command = (words: string) => commandFor(context, words);
	const half = current !== null && current.stoppedAtMs !== null;
	if (half || restarted.length > 0 || isResumed)
		return { next: wayOn(context) };
	const nodes = current === null ? [] : [current.node, ...remaining];
	const again = [
		goal.text,
		...(wished.length === 0 ? [] : nodes.map((node) => `--node ${node}`)),
	].join(" ");
	const whole = cause?.kind !== "refused" && cause?.kind !== "unreachable";
	const first = whole ? [] : ["up"];
	return {
		next: [...first, again].map(command).join(" && "),
		remedy: first.map(command).join(),
	};
}
