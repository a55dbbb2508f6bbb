import type { Inventory, NodeEntry } from "../config/inventory.js";
import { nearestNode } from "../config/nearest-node.js";
import { OperatorError } from "../errors.js";
import type { OperationContext } from "./context.js";

/** The node of the cluster file with this id. Throws OperatorError "usage" that lists those there are. */
export function nodeNamed(
	{ inventory }: Pick<OperationContext, "inventory">,
	id: string,
): NodeEntry {
	const node = inventory.nodes.find((one) => one.id === id);
	if (node !== undefined) return node;
	throw unknownNodes(inventory, [id]);
}

/** The error for ids that the cluster file does not have, with the nearest one that it has. */
export function unknownNodes(
	inventory: Inventory,
	ids: readonly string[],
): OperatorError {
	const [only, ...others] = ids;
	const guess =
		only === undefined || others.length > 0
			? null
			: nearestNode(inventory, only);
	const choice = `choose from ${inventory.nodes.map(({ id }) => id).join(", ")}`;
	return new OperatorError(
		"usage",
		`the cluster file has no node ${ids.join(", ")}`,
		{
			state: "nothing was touched",
			next: guess === null ? choice : `did you mean ${guess}? Else ${choice}`,
		},
	);
}
