import type { NodeRef } from "../cluster/engine.js";
import { type OperationContext, refOf } from "./context.js";
import { isSilence } from "./wait.js";

/** Asks node after node until one answers; a refusal is an answer. Throws the last silence when none does. */
export async function askAnyNode<Result>(
	{ inventory }: OperationContext,
	call: (node: NodeRef) => Promise<Result>,
): Promise<Result> {
	let silence: unknown;
	for (const entry of inventory.nodes) {
		try {
			return await call(refOf(entry));
		} catch (error) {
			if (!isSilence(error)) throw error;
			silence = error;
		}
	}
	throw silence;
}
