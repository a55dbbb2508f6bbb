import type { NodeEntry } from "../config/inventory.js";
import type { Service } from "../hosts/host.js";
import {
	balancerService,
	isBalancerConfigured,
	writeBalancerConfig,
} from "./balancer-service.js";
import type { OperationContext } from "./context.js";
import {
	isNodeConfigured,
	nodeService,
	writeNodeConfig,
} from "./node-service.js";

/** One of the cluster's long-running programs: a node's raftd, or the balancer. */
export interface Program {
	readonly name: string;
	/** Null for the balancer. */
	readonly node: string | null;
	readonly service: Service;
	/** What it reads at its start. */
	readonly configuration: Configuration;
}

export interface Configuration {
	/** Whether `write` has nothing to do. Touches nothing. */
	isWritten(how: HowItIs): Promise<boolean>;
	/** True when a program that runs would be another with it. */
	write(how: HowItIs): Promise<boolean>;
}

interface HowItIs {
	readonly isRunning: boolean;
}

/** `founds` of a node that founds the cluster now, with the others of the file. */
export function nodeConfiguration(
	context: OperationContext,
	node: NodeEntry,
	{ founds = false }: { readonly founds?: boolean } = {},
): Configuration {
	return {
		isWritten: (how) => isNodeConfigured(context, node, { ...how, founds }),
		write: (how) => writeNodeConfig(context, node, { ...how, founds }),
	};
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
			configuration: nodeConfiguration(context, node),
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
			configuration: {
				isWritten: (how) => isBalancerConfigured(context, balancer, how),
				write: () => writeBalancerConfig(context, balancer),
			},
		},
	];
}
