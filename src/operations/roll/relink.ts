import type { NodeStatus } from "../../cluster/engine.js";
import { statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { lookAtCluster } from "../context.js";
import type { Step } from "../steps/step.js";
import { isSilence } from "../wait.js";
import type { Former, Roll } from "./roll.js";

/**
 * A node that was being taken back when its operator was killed may run what is new and start with what was before: it
 * must come back as what it is. What it runs, it says itself when its turn has come; of one that is silent nobody knows.
 */
export function relinkSteps(
	roll: Roll,
	nodes: readonly NodeEntry[],
): readonly Step[] {
	const { former } = roll.goal;
	if (former === null) return [];
	return nodes.map((node) => ({
		...{ id: `${node.id}/relink`, node: node.id, cost: "" },
		title: "let it start with what it runs",
		async isDone() {
			const status = await wordOf(roll, node);
			if (status === null) return "it does not answer";
			const isNext = await startsAsItRuns(roll, former, { node, status });
			return isNext ? "it does" : null;
		},
		async run() {
			const status = await wordOf(roll, node);
			if (status === null) return "it does not answer: left as it is";
			const { context, goal, memo } = roll;
			if (runsFormer(roll, status)) return former.giveBack(context, node, memo);
			await goal.configure(context, node, { isRunning: true });
			return null;
		},
	}));
}

async function wordOf(
	{ context, lock }: Roll,
	{ id }: NodeEntry,
): Promise<NodeStatus | null> {
	return statusOf(await lookAtCluster(context, lock.signal), id);
}

function runsFormer({ goal }: Roll, status: NodeStatus): boolean {
	return goal.isToCome(status, { id: status.nodeId, former: null });
}

async function startsAsItRuns(
	roll: Roll,
	former: Former,
	{ node, status }: { readonly node: NodeEntry; readonly status: NodeStatus },
): Promise<boolean> {
	const { context, goal, memo } = roll;
	try {
		return runsFormer(roll, status)
			? await former.isNext(context, node, memo)
			: await goal.isConfigured(context, node);
	} catch (error) {
		// A host that does not answer: the step itself fails, and that is told.
		if (isSilence(error)) return false;
		throw error;
	}
}
