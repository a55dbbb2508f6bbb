import type { ClusterFileEdit } from "../../config/edits.js";
import type { NodeEntry } from "../../config/inventory.js";
import type { OperationContext } from "../context.js";
import { clusterFileLacks, editClusterFile } from "../edit-cluster-file.js";
import { doOn, isThere } from "../host-files.js";
import { nodeConfigPath } from "../node-config.js";
import type { Step } from "../steps/step.js";
import { tolerant } from "../steps/tolerant.js";
import { partsStep } from "./copies.js";
import { discardMade, isMadeBeside, moveOut } from "./discard.js";
import { requireDown } from "./down.js";
import {
	asidePath,
	diskOf,
	type NewCluster,
	nodesOf,
	oldConfigPath,
	wasStarted,
} from "./new-cluster.js";
import type { Birth } from "./new-cluster-steps.js";
import { startStep } from "./start-step.js";
import { verifyStep } from "./verify-step.js";

/**
 * Puts everything back to where it was. Once a node of the new cluster was started there is no way back: it may have
 * acknowledged writes. Then it stays, which is said, and is started as a whole: without its quorum it would serve nobody.
 */
export async function giveUpSteps(birth: Birth): Promise<readonly Step[]> {
	const { run, cluster, tally } = birth;
	const { context } = run;
	if (await wasStarted(context, cluster)) {
		context.emit({
			...{ type: "warning", node: null },
			message: `the new cluster ${cluster.clusterId} was started already and stays; the old data is kept as *${cluster.suffix}`,
		});
		return [startStep(birth), verifyStep(birth)].map((step) =>
			tolerant(context, tally.unconfirmed, step),
		);
	}
	const touched = nodesOf(context, cluster.touched);
	return [
		...touched.map((node) => backStep(birth, node)),
		...touched.map((node) => configBackStep(context, cluster, node)),
		fileBackStep(birth),
		partsStep(context, cluster),
	];
}

function backStep({ run, cluster }: Birth, node: NodeEntry): Step {
	const { context } = run;
	const aside = asidePath(node, cluster);
	return {
		...{ id: `${node.id}/back`, node: node.id, cost: "" },
		title: "put its old data back",
		async isDone() {
			const { data, isAside } = await diskOf(context, node, cluster);
			if (data === "new" || isAside) return null;
			const isLitter = await isMadeBeside(context, node, cluster);
			return isLitter ? null : "it is as it was";
		},
		async guard() {
			await requireDown(context, [node]);
			await run.lock.requireFresh();
		},
		async run() {
			const host = await context.machines.host(node.host);
			const path = node.dataDirectory;
			const { data, isAside } = await diskOf(context, node, cluster);
			// Made from the file, and never started: nothing is in it that is not in the file.
			if (data === "new") await moveOut(host, { node, cluster, path });
			if (isAside)
				await doOn(host, ["mv", "-T", aside, path], { about: node.id });
			await discardMade(context, node, cluster);
			return null;
		},
	};
}

function configBackStep(
	context: OperationContext,
	cluster: NewCluster,
	node: NodeEntry,
): Step {
	const path = nodeConfigPath(context.inventory, node);
	const old = oldConfigPath(context, node, cluster);
	return {
		...{ id: `${node.id}/config`, node: node.id, cost: "" },
		title: "put its old configuration back",
		async isDone() {
			const host = await context.machines.host(node.host);
			return (await isThere(host, old)) ? null : "it is as it was";
		},
		async run() {
			const host = await context.machines.host(node.host);
			await doOn(host, ["mv", "-T", old, path], { about: node.id });
			return null;
		},
	};
}

function fileBackStep({ run, cluster, tally }: Birth): Step {
	const { inventory } = run.context;
	const clusterId = cluster.oldClusterId;
	const edits: ClusterFileEdit[] = [{ type: "set-cluster-id", clusterId }];
	return {
		...{ id: "cluster/file", node: null, cost: "", committed: true },
		title: `write the old cluster id ${clusterId} into the cluster file`,
		isDone: async () =>
			(await clusterFileLacks(inventory, edits)) ? null : "it says so already",
		async run() {
			const { changed, instructions } = await editClusterFile(inventory, edits);
			tally.notes.push(...instructions);
			return changed ? inventory.source : "left to you";
		},
	};
}
