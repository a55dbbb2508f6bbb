import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import { currentRelease } from "../releases/installed.js";
import { isSilence } from "../wait.js";
import { writeLevelOf } from "./admission.js";
import { type FinalizeVerdict, finalizeVerdict } from "./verdict.js";

/** What `raftctl upgrade status --json` prints. */
export interface UpgradeStatus {
	readonly cluster: string;
	readonly nodes: readonly NodeRelease[];
	/** What the cluster writes; null while nobody is confirmed as leader. */
	readonly writeLevel: number | null;
	readonly finalize: FinalizeVerdict;
}

export interface NodeRelease {
	readonly node: string;
	/** By its own word; null when it does not answer. */
	readonly release: string | null;
	/** What it starts with next, by what lies on its host; null: what comes with raftctl, or the host does not answer. */
	readonly next: string | null;
	readonly machine: string | null;
	readonly reads: readonly [number, number] | null;
	readonly writes: number | null;
}

/** What each node runs, reads and writes, and whether the upgrade can be finalized. Changes nothing. */
export async function upgradeStatus(
	context: OperationContext,
): Promise<UpgradeStatus> {
	const { inventory } = context;
	const [facts, releases] = await Promise.all([
		lookAtCluster(context, context.signal),
		Promise.all(inventory.nodes.map((node) => nextRelease(context, node))),
	]);
	return {
		cluster: inventory.name,
		nodes: inventory.nodes.map(({ id }, at) => ({
			...nodeRelease(facts, id),
			next: releases[at] ?? null,
		})),
		writeLevel: writeLevelOf(facts),
		finalize: finalizeVerdict(facts, inventory.nodes),
	};
}

async function nextRelease(
	context: OperationContext,
	node: OperationContext["inventory"]["nodes"][number],
): Promise<string | null> {
	try {
		return (await currentRelease(context, node))?.version ?? null;
	} catch (error) {
		if (isSilence(error)) return null;
		throw error;
	}
}

function nodeRelease(
	facts: ClusterFacts,
	node: string,
): Omit<NodeRelease, "next"> {
	const status = statusOf(facts, node);
	if (status === null)
		return { node, release: null, machine: null, reads: null, writes: null };
	const { release, machine, levels } = status;
	const { readsFrom, readsTo, writes } = levels;
	return { node, release, machine, reads: [readsFrom, readsTo], writes };
}
