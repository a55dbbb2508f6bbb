import { type Inventory, type NodeEntry, origin } from "./inventory.js";

/** What the cluster file is to say afterwards. Each is a goal: said of a file that has it already, it changes nothing. */
export type ClusterFileEdit =
	| { readonly type: "add-node"; readonly node: NodeEntry }
	| { readonly type: "remove-node"; readonly id: string }
	| {
			readonly type: "set-role";
			readonly id: string;
			readonly role: NodeEntry["role"];
	  }
	/** `node` stands where the node `id` stood, or where it stands already. */
	| {
			readonly type: "replace-node";
			readonly id: string;
			readonly node: NodeEntry;
	  }
	| { readonly type: "set-cluster-id"; readonly clusterId: string };

/** What the inventory is once its file has these edits. It is not checked anew, and has no text of its own. */
export function editedInventory(
	inventory: Inventory,
	edits: readonly ClusterFileEdit[],
): Inventory {
	const { [origin]: _, ...rest } = inventory;
	return edits.reduce(edited, rest);
}

function edited(inventory: Inventory, edit: ClusterFileEdit): Inventory {
	return edit.type === "set-cluster-id"
		? { ...inventory, id: edit.clusterId }
		: { ...inventory, nodes: editedNodes(inventory.nodes, edit) };
}

function editedNodes(
	nodes: readonly NodeEntry[],
	edit: Exclude<ClusterFileEdit, { type: "set-cluster-id" }>,
): readonly NodeEntry[] {
	const has = (id: string) => nodes.some((node) => node.id === id);
	const put = (id: string, by: NodeEntry) =>
		nodes.map((node) => (node.id === id ? by : node));
	switch (edit.type) {
		case "add-node":
			return has(edit.node.id)
				? put(edit.node.id, edit.node)
				: [...nodes, edit.node];
		case "remove-node":
			return nodes.filter(({ id }) => id !== edit.id);
		case "set-role":
			return nodes.map((node) =>
				node.id === edit.id ? { ...node, role: edit.role } : node,
			);
		case "replace-node": {
			const { id, node } = edit;
			if (!has(node.id)) return has(id) ? put(id, node) : [...nodes, node];
			const rest = put(node.id, node);
			return id === node.id ? rest : rest.filter((one) => one.id !== id);
		}
	}
}
