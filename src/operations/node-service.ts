import type { NodeEntry } from "../config/inventory.js";
import type { Service } from "../hosts/host.js";
import type { OperationContext } from "./context.js";
import {
	configMode,
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

/** Brings node.yaml up to date on its host; true when it differed from what lay there. */
export async function writeNodeConfig(
	{ inventory, machines }: OperationContext,
	node: NodeEntry,
	options: NodeConfigOptions = {},
): Promise<boolean> {
	const host = await machines.host(node.host);
	const path = nodeConfigPath(inventory, node);
	const wanted = Buffer.from(await renderNodeConfig(inventory, node, options));
	const present = await host.read(path);
	if (present !== null && wanted.equals(present)) return false;
	await host.upload(path, wanted, configMode);
	return true;
}
