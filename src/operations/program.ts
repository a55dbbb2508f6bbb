import type { Service } from "../hosts/host.js";
import { balancerService, writeBalancerConfig } from "./balancer-service.js";
import type { OperationContext } from "./context.js";
import { nodeService, writeNodeConfig } from "./node-service.js";

/** One of the cluster's long-running programs: a node's raftd, or the balancer. */
export interface Program {
	readonly name: string;
	/** Null for the balancer. */
	readonly node: string | null;
	readonly service: Service;
	/** Writes what it reads at its start; true when that changed. */
	readonly configure: () => Promise<boolean>;
}

/** Every program of the cluster file, nodes in its order, then the balancer. */
export async function programsOf(
	context: OperationContext,
): Promise<readonly Program[]> {
	const { balancer, nodes } = context.inventory;
	const programs: Program[] = await Promise.all(
		nodes.map(async (node) => ({
			name: node.id,
			node: node.id,
			service: await nodeService(context, node),
			configure: () => writeNodeConfig(context, node),
		})),
	);
	// Any other kind is kept running by its hosts.
	if (balancer?.kind !== "embedded") return programs;
	return [
		...programs,
		{
			name: "balancer",
			node: null,
			service: await balancerService(context, balancer),
			configure: () => writeBalancerConfig(context, balancer),
		},
	];
}
