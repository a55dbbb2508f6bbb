import type { NodeEntry } from "../config/inventory.js";
import type { Service } from "../hosts/host.js";
import { areDelivered, deliverCertificates } from "./certs/deliver.js";
import type { OperationContext } from "./context.js";
import {
	configDifferences,
	configMode,
	joins,
	type NodeConfigOptions,
	nodeConfigPath,
	releaseIn,
	renderNodeConfig,
} from "./node-config.js";
import { programOf, runRelease } from "./releases/installed.js";

/** The node's raftd as a program on its host. */
export async function nodeService(
	context: OperationContext,
	node: NodeEntry,
): Promise<Service> {
	const { inventory, machines } = context;
	return machines.service({
		host: node.host,
		name: node.id,
		argv: async () => [
			...(await programOf(context, node)),
			...["--config", nodeConfigPath(inventory, node)],
		],
	});
}

interface ConfigWish extends NodeConfigOptions {
	/** The node founds the cluster now, with the others of the file. */
	readonly founds?: boolean;
	/** It runs and goes on. */
	readonly isRunning?: boolean;
}

/**
 * Brings node.yaml up to date on its host; true when a node that runs would be another with it. One that once joined a
 * cluster stays one that joins: with its disk lost it must wait to be added, and never found a cluster of its own (P31).
 */
export async function writeNodeConfig(
	context: OperationContext,
	node: NodeEntry,
	wish: ConfigWish = {},
): Promise<boolean> {
	const { inventory, machines } = context;
	const host = await machines.host(node.host);
	const path = nodeConfigPath(inventory, node);
	const present = await host.read(path);
	const wanted = await wantedNodeConfig(context, node, present, wish);
	// Before the configuration that names them.
	const { isRunning = false } = wish;
	if (inventory.tls !== null)
		await deliverCertificates(context, node, { isRunning });
	if (present !== null && Buffer.from(wanted).equals(present)) return false;
	await host.upload(path, wanted, configMode);
	return (await configDifferences(present, wanted)).length > 0;
}

/**
 * Whether `writeNodeConfig` has nothing to do. Touches nothing. Who founded the cluster with whom does not count for a node
 * that runs.
 */
export async function isNodeConfigured(
	context: OperationContext,
	node: NodeEntry,
	wish: ConfigWish = {},
): Promise<boolean> {
	const { inventory, machines } = context;
	const host = await machines.host(node.host);
	const present = await host.read(nodeConfigPath(inventory, node));
	const wanted = await wantedNodeConfig(context, node, present, wish);
	const { isRunning = false } = wish;
	const isSame = isRunning
		? (await configDifferences(present, wanted)).length === 0
		: present !== null && Buffer.from(wanted).equals(present);
	if (!isSame || inventory.tls === null) return isSame;
	return areDelivered(context, node, { isRunning });
}

/** The release that node.yaml on the host names, null for none; undefined where there is no readable one. */
export async function configuredRelease(
	{ inventory, machines }: OperationContext,
	node: NodeEntry,
): Promise<string | null | undefined> {
	const host = await machines.host(node.host);
	return releaseIn(await host.read(nodeConfigPath(inventory, node)));
}

/** What node.yaml has to say, where `present` lies now. */
export async function wantedNodeConfig(
	context: Pick<OperationContext, "inventory" | "machines">,
	node: NodeEntry,
	present: Uint8Array | null,
	{ join, release, founds = false }: ConfigWish = {},
): Promise<Uint8Array> {
	const { inventory } = context;
	const stays = join === undefined && !founds && (await joins(present));
	const members = stays ? inventory.nodes : join;
	return Buffer.from(
		await renderNodeConfig(inventory, node, {
			...(members === undefined ? {} : { join: members }),
			release:
				release === undefined ? await runRelease(context, node) : release,
		}),
	);
}
