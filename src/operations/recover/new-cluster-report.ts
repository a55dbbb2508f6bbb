import type { OperationContext } from "../context.js";
import { asidePath, diskOf, type NewCluster, nodesOf } from "./new-cluster.js";
import type { Tally } from "./new-cluster-steps.js";

/** What is said of every cluster that took another's place. */
export interface NewClusterReport {
	readonly clusterId: string;
	readonly oldClusterId: string;
	readonly nodes: readonly string[];
	/** Of the cluster file, and no members: to be added. */
	readonly left: readonly string[];
	/** What every node reports; null when it was given up. */
	readonly index: number | null;
	readonly leader: string | null;
	/** Old data directories, by node. */
	readonly kept: Readonly<Record<string, string>>;
	/** What is left to people, a line each. */
	readonly notes: readonly string[];
	/** What did not come about for who gave up, a sentence each. */
	readonly unconfirmed: readonly string[];
}

export async function newClusterReport(
	context: OperationContext,
	cluster: NewCluster,
	{ notes, unconfirmed, verified }: Tally,
): Promise<NewClusterReport> {
	const { clusterId, oldClusterId, chosen, touched } = cluster;
	const kept: Record<string, string> = {};
	for (const node of nodesOf(context, touched)) {
		const { isAside } = await diskOf(context, node, cluster);
		if (isAside) kept[node.id] = asidePath(node, cluster);
	}
	const ids = context.inventory.nodes.map(({ id }) => id);
	return {
		...{ clusterId, oldClusterId, nodes: chosen },
		left: ids.filter((id) => !chosen.includes(id)),
		index: verified?.index ?? null,
		leader: verified?.leader ?? null,
		...{ kept, notes, unconfirmed },
	};
}
