import { join } from "node:path";
import type { ClusterFileEdit } from "../../config/edits.js";
import type { NodeEntry } from "../../config/inventory.js";
import { stateDirectoryOn } from "../../config/places.js";
import type { OperationContext } from "../context.js";
import { clusterFileLacks, editClusterFile } from "../edit-cluster-file.js";
import { doOn } from "../host-files.js";
import {
	configMode,
	nodeConfigPath,
	renderNodeConfig,
} from "../node-config.js";
import type { Run } from "../operation.js";
import { runRelease } from "../releases/installed.js";
import type { Step } from "../steps/step.js";
import { discardMade } from "./discard.js";
import { requireDown } from "./down.js";
import {
	asidePath,
	contextOf,
	diskOf,
	type NewCluster,
	nodesOf,
	oldConfigPath,
	preparedPath,
	sourcePath,
} from "./new-cluster.js";
import { askRaftd } from "./raftd-files.js";
import { startStep } from "./start-step.js";
import { verifyStep } from "./verify-step.js";

const removeTimeoutMs = 30_000;

/** What one run has seen and done. */
export interface Tally {
	/** From here on what was there before is not there any more. */
	isMoved: boolean;
	fileChanged: boolean;
	/** What is left to people. */
	readonly notes: string[];
	/** By who gave up: what did not come about. */
	readonly unconfirmed: string[];
	/** What every node of the new cluster reports. */
	verified: { readonly index: number; readonly leader: string } | null;
}

export interface Birth {
	readonly run: Run;
	readonly cluster: NewCluster;
	readonly tally: Tally;
	/** Of the old cluster: the new one begins beyond it. */
	readonly fromIndex: () => Promise<number>;
	/**
	 * Throws OperatorError "refused" while the old cluster serves, or may: asked before each step behind which its writes
	 * would be gone.
	 */
	readonly requireOutOfService: () => Promise<void>;
}

/**
 * Everything behind the file: all members' data is made beside the old, then the cluster gets its new id, then every old
 * directory gives way, and only then does the first node start. At no moment may a node of the old id start beside one of
 * the new: while old data lies in its place nothing of the new runs, and afterwards no configuration names the old id. Nor
 * are all directories ever empty, for `up` would found an empty cluster on them (P31).
 */
export function birthSteps(birth: Birth): readonly Step[] {
	const { run, cluster } = birth;
	const chosen = nodesOf(run.context, cluster.chosen);
	const touched = nodesOf(run.context, cluster.touched);
	return [
		...chosen.map((node) => prepareStep(birth, node)),
		fileStep(birth),
		configStep(birth),
		...touched.map((node) => swapStep(birth, node)),
		startStep(birth),
		verifyStep(birth),
	];
}

function prepareStep({ run, cluster }: Birth, node: NodeEntry): Step {
	const { context } = run;
	const prepared = preparedPath(node, cluster);
	const born = contextOf(context, cluster);
	return {
		...{ id: `${node.id}/restore`, node: node.id },
		title: "make its data directory from the file, beside the old one",
		cost: `room for the state in ${prepared}`,
		async isDone() {
			const { data, isPrepared } = await diskOf(context, node, cluster);
			return data === "new" || isPrepared ? "it is there" : null;
		},
		async run() {
			await discardMade(context, node, cluster);
			const host = await context.machines.host(node.host);
			const config = join(
				stateDirectoryOn(born.inventory, node.host),
				...[node.id, "restore.yaml"],
			);
			const beside = { ...node, dataDirectory: prepared };
			const text = await renderNodeConfig(born.inventory, beside, {
				release: await runRelease(context, node),
			});
			await host.upload(config, Buffer.from(text), configMode);
			const file = sourcePath(context, cluster, node.host);
			const words = ["snapshot", "restore", file, "--config", config];
			try {
				const { index } = await askRaftd<{ readonly index: number }>(
					context,
					host,
					{ words },
				);
				return `at index ${index}`;
			} finally {
				// Read once; one that a killed operator leaves is written over, or names a directory that has another name now.
				await host
					.run(["rm", "-f", config], { timeoutMs: removeTimeoutMs })
					.catch(() => undefined);
			}
		},
		undo: () => discardMade(context, node, cluster),
	};
}

/** From here on `up` and all others speak of the new cluster; begun, it is ended, and nothing before it is undone. */
function fileStep(birth: Birth): Step {
	const { run, cluster, tally } = birth;
	const { inventory } = run.context;
	const { clusterId } = cluster;
	const edits: ClusterFileEdit[] = [{ type: "set-cluster-id", clusterId }];
	return {
		...{ id: "cluster/file", node: null, cost: "", committed: true },
		title: `write the new cluster id ${clusterId} into the cluster file`,
		isDone: async () =>
			(await clusterFileLacks(inventory, edits)) ? null : "it says so already",
		async guard() {
			await requireAllDown(birth);
			await run.lock.requireFresh();
		},
		async run() {
			tally.isMoved = true;
			const { changed, instructions } = await editClusterFile(inventory, edits);
			tally.fileChanged ||= changed;
			tally.notes.push(...instructions);
			return changed ? inventory.source : "left to you";
		},
	};
}

/** Without a configuration nobody can start a node by accident while its directory is being replaced (P31). */
function configStep(birth: Birth): Step {
	const { run, cluster, tally } = birth;
	const { context } = run;
	return {
		...{ id: "cluster/config", node: null, cost: "" },
		title: "set the nodes' old configurations aside",
		isDone: async () =>
			(await hasOldConfig(context, cluster)) ? null : "none is there",
		async guard() {
			await requireAllDown(birth);
			await run.lock.requireFresh();
		},
		async run() {
			tally.isMoved = true;
			for (const node of nodesOf(context, cluster.touched)) {
				if (!(await isOldConfig(context, cluster, node))) continue;
				const host = await context.machines.host(node.host);
				const path = nodeConfigPath(context.inventory, node);
				const aside = oldConfigPath(context, node, cluster);
				await doOn(host, ["mv", "-T", path, aside], { about: node.id });
			}
			return null;
		},
	};
}

async function hasOldConfig(
	context: OperationContext,
	cluster: NewCluster,
): Promise<boolean> {
	const nodes = nodesOf(context, cluster.touched);
	const found = await Promise.all(
		nodes.map((node) => isOldConfig(context, cluster, node)),
	);
	return found.includes(true);
}

async function isOldConfig(
	context: OperationContext,
	{ clusterId }: NewCluster,
	node: NodeEntry,
): Promise<boolean> {
	const host = await context.machines.host(node.host);
	const present = await host.read(nodeConfigPath(context.inventory, node));
	return present !== null && !Buffer.from(present).includes(clusterId);
}

function swapStep(birth: Birth, node: NodeEntry): Step {
	const { run, cluster, tally } = birth;
	const { context } = run;
	const isChosen = cluster.chosen.includes(node.id);
	const aside = asidePath(node, cluster);
	return {
		...{ id: `${node.id}/swap`, node: node.id },
		title: isChosen
			? "put the new data in its place"
			: "set its old data aside",
		cost: `what is in ${node.dataDirectory} becomes ${aside}`,
		async isDone() {
			const { data } = await diskOf(context, node, cluster);
			if (data === "new") return "the new data is in its place";
			return !isChosen && data === "none" ? "there is none" : null;
		},
		async guard() {
			await requireDown(context, [node]);
			await birth.requireOutOfService();
			await run.lock.requireFresh();
		},
		async run() {
			tally.isMoved = true;
			const { data } = await diskOf(context, node, cluster);
			const { dataDirectory } = node;
			const host = await context.machines.host(node.host);
			const move = (from: string, to: string) =>
				doOn(host, ["mv", "-T", from, to], { about: node.id });
			if (data === "old") await move(dataDirectory, aside);
			if (isChosen) await move(preparedPath(node, cluster), dataDirectory);
			return data === "old" ? `the old data is kept as ${aside}` : null;
		},
	};
}

async function requireAllDown({
	run: { context },
	cluster,
	requireOutOfService,
}: Birth): Promise<void> {
	const nodes = nodesOf(context, cluster.touched);
	const disks = await Promise.all(
		nodes.map((node) => diskOf(context, node, cluster)),
	);
	// Those of the new cluster may run already, where a later attempt comes by here.
	const old = nodes.filter((_, at) => disks[at]?.data !== "new");
	await requireDown(context, old);
	await requireOutOfService();
}
