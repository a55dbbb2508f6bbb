import type { ClusterFileEdit } from "../edits.js";
import type { Inventory, NodeEntry } from "../inventory.js";
import { plainNode } from "../load.js";
import { inlineText, type Style } from "./node-text.js";

const style: Style = {
	...{ key: "plain", value: "plain", padded: true },
	...{ keys: new Set<string>(["id"]), absoluteData: true },
};

/** What a person is to do where no text could be changed. */
export function editInWords(
	inventory: Inventory,
	edit: ClusterFileEdit,
): string {
	const written = (node: NodeEntry) =>
		inlineText({
			...{ node, style, directory: "" },
			// Its host is no matter of course, only what follows from it.
			plain: {
				...plainNode(node.id, inventory, node.host),
				host: "local",
			},
		});
	switch (edit.type) {
		case "add-node":
			return `under nodes, write: ${written(edit.node)}`;
		case "remove-node":
			return `under nodes, take out ${edit.id}`;
		case "set-role":
			return `under nodes, give ${edit.id} "role: ${edit.role}"`;
		case "replace-node":
			return `under nodes, in the place of ${edit.id}, write: ${written(edit.node)}`;
		case "set-cluster-id":
			return `write "id: ${edit.clusterId}"`;
	}
}
