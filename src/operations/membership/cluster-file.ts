import { isAbsolute, normalize, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type ClusterFileEdit, editedInventory } from "../../config/edits.js";
import type { Inventory, NodeEntry } from "../../config/inventory.js";
import { type GivenNode, nodeEntryFor } from "../../config/new-node.js";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { editClusterFile } from "../edit-cluster-file.js";
import { renewBackendsStep } from "../steps/renew-backends.js";
import type { Step } from "../steps/step.js";
import type { Tally, Work } from "./work.js";

/** As the cluster file is to have it in the end. */
export type FileGoal =
	| {
			readonly type: "present";
			readonly node: NodeEntry;
			readonly role: NodeEntry["role"];
	  }
	/** At other addresses, perhaps on another host; its role is the file's. */
	| { readonly type: "moved"; readonly node: NodeEntry }
	| { readonly type: "absent"; readonly id: string };

/**
 * The entry of a node that is to be added: the file's own, or one made of what is given and of the file's ports. Throws
 * OperatorError "usage" for what fits neither the file nor itself.
 */
export function entryFor(
	{ inventory }: OperationContext,
	id: string,
	given: GivenNode,
): NodeEntry {
	requirePlainPath(given.data);
	return nodeEntryFor(inventory, id, given).entry;
}

/** A relative path would be another one for each directory that raftctl is called from, and for the node. */
function requirePlainPath(data: string | undefined): void {
	if (data === undefined) return;
	const isPlain =
		isAbsolute(data) && normalize(data) === data && !data.endsWith(sep);
	if (isPlain) return;
	throw new OperatorError(
		"usage",
		`the data directory has to be an absolute path without "..", "." or a slash at its end; found ${JSON.stringify(data)}`,
		{
			state: "nothing was touched",
			next: "give an absolute one, or leave --data out",
		},
	);
}

/** What the file lacks of the goals; a node that comes for another stands in its place. Pure. */
export function editsTowards(
	{ nodes }: Inventory,
	goals: readonly FileGoal[],
): readonly ClusterFileEdit[] {
	const has = (id: string) => nodes.some((node) => node.id === id);
	const leaving = goals.flatMap((goal) =>
		goal.type === "absent" && has(goal.id) ? [goal.id] : [],
	);
	const edits: ClusterFileEdit[] = [];
	for (const goal of goals) {
		if (goal.type === "absent") continue;
		if (goal.type === "moved") {
			const { node } = goal;
			edits.push({ type: "replace-node", id: node.id, node });
			continue;
		}
		const { role } = goal;
		const { id } = goal.node;
		if (has(id)) edits.push({ type: "set-role", id, role });
		else {
			const node = { ...goal.node, role };
			const place = leaving.shift();
			if (place === undefined) edits.push({ type: "add-node", node });
			else edits.push({ type: "replace-node", id: place, node });
		}
	}
	return [
		...edits,
		...leaving.map((id) => ({ type: "remove-node" as const, id })),
	];
}

/** Brings the cluster file to where the cluster is; last, as by then it is so. */
function clusterFileStep(
	{ inventory }: OperationContext,
	goals: readonly FileGoal[],
	tally: Tally,
): Step {
	const edits = editsTowards(inventory, goals);
	const wanted = editedInventory(inventory, edits);
	const name = inventory.source === "-" ? "the cluster file" : inventory.source;
	return {
		id: "cluster/file",
		title: `bring ${name} up to date`,
		node: null,
		cost: "",
		isDone: async () =>
			isDeepStrictEqual(wanted.nodes, inventory.nodes)
				? "it says so already"
				: null,
		async run() {
			const { changed, instructions } = await editClusterFile(inventory, edits);
			tally.fileChanged ||= changed;
			tally.notes.push(...instructions);
			return changed ? name : "left to you";
		},
	};
}

/** Last: the balancer and the cluster file learn what is so by now. */
export function filing(
	work: Work,
	goals: readonly FileGoal[],
): readonly Step[] {
	const { base, tally } = work;
	return [
		...renewBackendsStep(base, inventoryAfter(work, goals)),
		clusterFileStep(base, goals, tally),
	];
}

/** A node that takes connections from others is known to the balancer before they go. */
export function introducing(
	work: Work,
	goals: readonly FileGoal[],
): readonly Step[] {
	return renewBackendsStep(work.base, inventoryAfter(work, goals), "newcomer");
}

function inventoryAfter({ base }: Work, goals: readonly FileGoal[]): Inventory {
	const { inventory } = base;
	return editedInventory(inventory, editsTowards(inventory, goals));
}
