import type { NodeEntry } from "../config/inventory.js";
import { OperatorError } from "../errors.js";
import type { OperationContext } from "./context.js";

/** The node of the cluster file with this id. Throws OperatorError "usage" that lists those there are. */
export function nodeNamed(
	{ inventory }: OperationContext,
	id: string,
): NodeEntry {
	const node = inventory.nodes.find((one) => one.id === id);
	if (node !== undefined) return node;
	throw new OperatorError("usage", `the cluster file has no node ${id}`, {
		next: `choose from ${inventory.nodes.map((one) => one.id).join(", ")}`,
	});
}
