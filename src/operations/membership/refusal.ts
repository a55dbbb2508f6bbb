import type { ChangeRefusedError } from "../../cluster/change-refused.js";
import type { CatchUpView } from "../../cluster/engine.js";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";

/** The leader cannot say yes now, and may in a moment. */
const passing = new Set([
	"not-leader",
	"term-not-committed",
	"change-in-flight",
	"configuration-changed",
	"transferring",
	"disk-stalled",
	// Between the look and the call a link may break, or writes may come faster than the learner takes them.
	"target-unreachable",
	"target-lagging",
	"quorum-at-risk",
]);

export function isPassing({ refusal }: ChangeRefusedError): boolean {
	return passing.has(refusal.reason);
}

/** The leader's refusal as the operator's: with numbers, and with what to type next. */
export function refusedChange(
	context: OperationContext,
	error: ChangeRefusedError,
): OperatorError {
	const { node, catchUp } = error.refusal;
	const numbers = catchUp === null ? "" : ` (${catchUpText(catchUp)})`;
	return new OperatorError("refused", `${error.message}${numbers}`, {
		...(node === null ? {} : { node }),
		state: "the membership was not changed",
		next: commandFor(context, "status"),
		cause: error,
	});
}

/** "1200 entries behind, 400 a second, about 3 s to go" */
export function catchUpText(view: CatchUpView): string {
	const { lagEntries, entriesPerSecond, remainingMs, caughtUp } = view;
	if (caughtUp) return "caught up";
	const behind = `${lagEntries} ${lagEntries === 1 ? "entry" : "entries"} behind`;
	// Also before the first answer: then no rate is known.
	if (entriesPerSecond === 0) return `${behind}, nothing has reached it lately`;
	const left =
		remainingMs === null
			? "it does not gain on the leader"
			: `about ${Math.ceil(remainingMs / 1000)} s to go`;
	return `${behind}, ${Math.round(entriesPerSecond)} a second, ${left}`;
}
