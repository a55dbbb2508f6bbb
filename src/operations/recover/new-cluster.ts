import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { editedInventory } from "../../config/edits.js";
import type { NodeEntry } from "../../config/inventory.js";
import { stateDirectoryOn } from "../../config/places.js";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { isThere } from "../host-files.js";
import { throwIfEnded } from "../interruption.js";
import { identityOf, requireRemovable } from "../membership/candidate.js";
import { nodeConfigPath } from "../node-config.js";
import { nodeNamed } from "../node-named.js";

/**
 * A cluster that takes the place of another, on its nodes and from a snapshot of its state. All that has to be remembered;
 * how far it came is seen on the hosts.
 */
export interface NewCluster {
	readonly clusterId: string;
	readonly oldClusterId: string;
	/** Behind the names of what is moved aside: ".before-restore-20261121T133000Z". */
	readonly suffix: string;
	/** Its members. */
	readonly chosen: readonly string[];
	/** All nodes whose hosts answer: none of them keeps data of the old cluster in its place. */
	readonly touched: readonly string[];
}

/** Of one node, as its host has it now. */
interface Disk {
	/** What lies in the data directory: the new cluster's, somebody else's, or nothing. */
	readonly data: "new" | "old" | "none";
	/** The new cluster's data, whole, beside it. */
	readonly isPrepared: boolean;
	/** The old data, moved away. */
	readonly isAside: boolean;
}

export function newCluster(
	{ clock, inventory }: OperationContext,
	wish: {
		readonly word: "restore" | "recover";
		readonly chosen: readonly string[];
		readonly touched: readonly string[];
		/** Of the plan that was shown: what is done then has the same names. */
		readonly shown: NewCluster | null;
	},
): NewCluster {
	const date = new Date(clock.unixMs()).toISOString();
	const time = date.replace(/[-:]|\.\d+/g, "");
	return {
		clusterId:
			wish.shown?.clusterId ??
			`${inventory.name}-${randomBytes(6).toString("hex")}`,
		oldClusterId: inventory.id,
		suffix: wish.shown?.suffix ?? `.before-${wish.word}-${time}`,
		...{ chosen: wish.chosen, touched: wish.touched },
	};
}

/** The context of the new cluster: its id, and its members alone. */
export function contextOf(
	context: OperationContext,
	{ clusterId, chosen }: NewCluster,
): OperationContext {
	const edited = editedInventory(context.inventory, [
		{ type: "set-cluster-id", clusterId },
	]);
	const nodes = edited.nodes.filter(({ id }) => chosen.includes(id));
	return { ...context, inventory: { ...edited, nodes } };
}

/** The context of the old cluster, whatever the cluster file says by now. */
export function oldContextOf(
	context: OperationContext,
	{ oldClusterId: clusterId }: NewCluster,
): OperationContext {
	const inventory = editedInventory(context.inventory, [
		{ type: "set-cluster-id", clusterId },
	]);
	return { ...context, inventory };
}

export function nodesOf(
	{ inventory }: OperationContext,
	ids: readonly string[],
): readonly NodeEntry[] {
	return inventory.nodes.filter(({ id }) => ids.includes(id));
}

/** The one file that all members come from, on this host of theirs. */
export function sourcePath(
	{ inventory }: OperationContext,
	{ clusterId }: NewCluster,
	host: string,
): string {
	const state = stateDirectoryOn(inventory, host);
	return join(state, "restored", `${clusterId}.snapshot`);
}

export function preparedPath(
	{ dataDirectory }: NodeEntry,
	{ clusterId }: NewCluster,
): string {
	return `${dataDirectory}.${clusterId}`;
}

export function asidePath(
	{ dataDirectory }: NodeEntry,
	{ suffix }: NewCluster,
): string {
	return `${dataDirectory}${suffix}`;
}

export function oldConfigPath(
	{ inventory }: OperationContext,
	node: NodeEntry,
	{ suffix }: NewCluster,
): string {
	return `${nodeConfigPath(inventory, node)}${suffix}`;
}

/** Written before any node of the new cluster starts, and kept: from then on it may have acknowledged something. */
export function startedPath(
	{ inventory }: OperationContext,
	{ clusterId }: NewCluster,
	host: string,
): string {
	const state = stateDirectoryOn(inventory, host);
	return join(state, "restored", `${clusterId}.started`);
}

export async function wasStarted(
	context: OperationContext,
	cluster: NewCluster,
): Promise<boolean> {
	for (const node of nodesOf(context, cluster.chosen)) {
		const host = await context.machines.host(node.host);
		const mark = startedPath(context, cluster, node.host);
		if ((await host.read(mark)) !== null) return true;
	}
	return false;
}

export async function diskOf(
	context: OperationContext,
	node: NodeEntry,
	cluster: NewCluster,
): Promise<Disk> {
	const host = await context.machines.host(node.host);
	const isNew = async (dataDirectory: string) => {
		const found = await identityOf(context, { ...node, dataDirectory });
		return found?.clusterId === cluster.clusterId;
	};
	const data = (await isNew(node.dataDirectory))
		? "new"
		: (await isThere(host, node.dataDirectory))
			? "old"
			: "none";
	return {
		data,
		isPrepared: await isNew(preparedPath(node, cluster)),
		isAside: await isThere(host, asidePath(node, cluster)),
	};
}

/** Whether a node's data directory has anything in it. */
export async function holdsData(
	{ machines }: OperationContext,
	node: NodeEntry,
): Promise<boolean> {
	return isThere(await machines.host(node.host), node.dataDirectory);
}

/** The nodes whose hosts answer. */
export async function reachableNodes(
	context: OperationContext,
): Promise<readonly NodeEntry[]> {
	const { inventory, machines, signal } = context;
	const found = await Promise.all(
		inventory.nodes.map(async (node) => {
			try {
				await machines.host(node.host);
				return [node];
			} catch (error) {
				throwIfEnded(signal);
				if (error instanceof OperatorError) return [];
				throw error;
			}
		}),
	);
	return found.flat();
}

/** Throws OperatorError "usage" for one that there is not, "refused" for a choice that could elect nobody. */
export function requireChoice(
	context: OperationContext,
	chosen: readonly string[],
	reachable: readonly NodeEntry[],
): void {
	for (const id of chosen) nodeNamed(context, id);
	const gone = chosen.filter((id) => !reachable.some((one) => one.id === id));
	if (gone.length > 0)
		throw new OperatorError(
			"unreachable",
			`the host of ${gone.join(" and ")} does not answer`,
			{ state: "nothing was touched", next: "choose others with --node" },
		);
	for (const node of nodesOf(context, chosen))
		requireRemovable(context.inventory, node);
	if (nodesOf(context, chosen).some(({ role }) => role === "voter")) return;
	throw new OperatorError(
		"refused",
		"a cluster of learners alone could elect no leader",
		{ state: "nothing was touched", next: "choose a voter, too, with --node" },
	);
}
