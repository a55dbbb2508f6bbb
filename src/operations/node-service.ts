import type { NodeEntry } from "../config/inventory.js";
import type { Service } from "../hosts/host.js";
import type { OperationContext } from "./context.js";
import {
	configDifferences,
	configMode,
	joins,
	type NodeConfigOptions,
	nodeConfigPath,
	renderNodeConfig,
} from "./node-config.js";

/** The node's raftd as a program on its host. */
export function nodeService(
	{ inventory, machines, programs }: OperationContext,
	node: NodeEntry,
): Promise<Service> {
	return machines.service({
		host: node.host,
		name: node.id,
		argv: [
			programs.node,
			programs.raftd,
			"--config",
			nodeConfigPath(inventory, node),
		],
	});
}

interface ConfigWish extends NodeConfigOptions {
	/** The node founds the cluster now, with the others of the file. */
	readonly founds?: boolean;
}

/**
 * Brings node.yaml up to date on its host; true when a node that runs would be another with it. One that once joined a
 * cluster stays one that joins: with its disk lost it must wait to be added, and never found a cluster of its own (P31).
 */
export async function writeNodeConfig(
	{ inventory, machines }: OperationContext,
	node: NodeEntry,
	{ join, founds = false }: ConfigWish = {},
): Promise<boolean> {
	const host = await machines.host(node.host);
	const path = nodeConfigPath(inventory, node);
	const present = await host.read(path);
	const stays = join === undefined && !founds && (await joins(present));
	const members = stays ? inventory.nodes : join;
	const wanted = Buffer.from(
		await renderNodeConfig(
			inventory,
			node,
			members === undefined ? {} : { join: members },
		),
	);
	if (present !== null && wanted.equals(present)) return false;
	await host.upload(path, wanted, configMode);
	return (await configDifferences(present, wanted)).length > 0;
}
