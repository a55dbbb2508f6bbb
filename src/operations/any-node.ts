import type { NodeRef } from "../cluster/engine.js";
import { completed, OperatorError } from "../errors.js";
import { commandFor, type OperationContext, refOf } from "./context.js";
import { isSilence } from "./wait.js";

/**
 * Asks node after node until one answers; a refusal is an answer. Throws the silence when none does: of several nodes one
 * that names each, of the last one's kind.
 */
export async function askAnyNode<Result>(
	context: OperationContext,
	call: (node: NodeRef) => Promise<Result>,
): Promise<Result> {
	const { nodes } = context.inventory;
	const silences: OperatorError[] = [];
	for (const entry of nodes) {
		try {
			return await call(refOf(entry));
		} catch (error) {
			if (!isSilence(error)) throw error;
			silences.push(error);
		}
	}
	throw completed(silenceOf(nodes, silences), {
		next: commandFor(context, "status"),
	});
}

function silenceOf(
	nodes: readonly { readonly id: string }[],
	silences: readonly OperatorError[],
): OperatorError {
	const last = silences.at(-1);
	if (last === undefined)
		return new OperatorError("unreachable", "there is no node to ask");
	if (silences.length === 1) return last;
	return new OperatorError(
		last.kind,
		`none of ${nodes.map(({ id }) => id).join(", ")} gives an answer`,
		{
			problems: silences.map(({ message }) => message),
			isLasting: silences.every(({ isLasting }) => isLasting),
			cause: last,
		},
	);
}
