import { commandFor, type OperationContext } from "./context.js";
import type { OperationView } from "./operations.js";

/** What comes before every other operation, in a sentence; null when nothing does: this one lapses. */
export function wayThroughUnfinished(
	context: Pick<OperationContext, "inventory">,
	operation: OperationView,
): string | null {
	const ways = waysThrough(context, operation);
	if (ways === null) return null;
	const { record, state, id } = operation;
	const named = `"${record?.text ?? id}"`;
	const [resume = "", abort = ""] = ways;
	return state === "running"
		? `${named} is under way: ${resume} tells how far it came`
		: `${named} is not finished (${state}): first ${resume} goes on with it, or ${abort} gives it up`;
}

/** The commands of it, one of them enough. */
export function waysThrough(
	context: Pick<OperationContext, "inventory">,
	{ record, state }: OperationView,
): readonly string[] | null {
	if (record?.lapses === true && state === "killed") return null;
	const words =
		state === "running"
			? ["operation show"]
			: ["operation resume", "operation abort"];
	return words.map((one) => commandFor(context, one));
}
