import type { NodeRef } from "../cluster/engine.js";
import { completed, OperatorError } from "../errors.js";
import { commandFor, type OperationContext, refOf } from "./context.js";
import { isSilence } from "./wait.js";

/** Asks node after node until one answers; a refusal is an answer. Throws the last silence when none does. */
export async function askAnyNode<Result>(
	context: OperationContext,
	call: (node: NodeRef) => Promise<Result>,
): Promise<Result> {
	let silence = new OperatorError("unreachable", "there is no node to ask");
	for (const entry of context.inventory.nodes) {
		try {
			return await call(refOf(entry));
		} catch (error) {
			if (!isSilence(error)) throw error;
			silence = error;
		}
	}
	throw completed(silence, { next: commandFor(context, "status") });
}
