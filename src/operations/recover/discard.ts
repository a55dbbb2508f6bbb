import type { NodeEntry } from "../../config/inventory.js";
import type { Host } from "../../hosts/host.js";
import type { OperationContext } from "../context.js";
import { doOn, isThere } from "../host-files.js";
import { awaitFree } from "./in-use.js";
import { type NewCluster, preparedPath } from "./new-cluster.js";

/**
 * Where what was made for the new cluster goes before it is removed. A removal that is cut off leaves a directory without
 * its identity, or one that looks whole and is not: under this name nobody takes either for data.
 */
function discardedPath(node: NodeEntry, cluster: NewCluster): string {
	return `${preparedPath(node, cluster)}.discarded`;
}

/** Where `raftd snapshot restore` builds what it was told to make. */
function unfinishedPath(node: NodeEntry, cluster: NewCluster): string {
	return `${preparedPath(node, cluster)}.restoring`;
}

/** Whether anything lies beside the node's data that was made for the new cluster, whole or not. */
export async function isMadeBeside(
	{ machines }: OperationContext,
	node: NodeEntry,
	cluster: NewCluster,
): Promise<boolean> {
	const host = await machines.host(node.host);
	for (const path of madePaths(node, cluster))
		if (await isThere(host, path)) return true;
	return false;
}

/**
 * Removes all that was made beside the node's data, once nobody makes it any more. Whoever cuts it off leaves names that
 * mean nothing.
 */
export async function discardMade(
	context: OperationContext,
	node: NodeEntry,
	cluster: NewCluster,
): Promise<void> {
	const host = await context.machines.host(node.host);
	const unfinished = unfinishedPath(node, cluster);
	if (await isThere(host, unfinished))
		await awaitFree(context, node, unfinished);
	for (const path of madePaths(node, cluster)) {
		await moveOut(host, { node, cluster, path });
		await doOn(host, ["rm", "-rf", discardedPath(node, cluster)], {
			about: node.id,
		});
	}
}

/** Takes a directory of the new cluster out of its place, by one rename; `discardMade` removes it. */
export async function moveOut(
	host: Host,
	{
		node,
		cluster,
		path,
	}: {
		readonly node: NodeEntry;
		readonly cluster: NewCluster;
		readonly path: string;
	},
): Promise<void> {
	const out = discardedPath(node, cluster);
	if (path === out || !(await isThere(host, path))) return;
	// Of an attempt that was cut off: a rename replaces no directory with anything in it.
	await doOn(host, ["rm", "-rf", out], { about: node.id });
	await doOn(host, ["mv", "-T", path, out], { about: node.id });
}

function madePaths(node: NodeEntry, cluster: NewCluster): readonly string[] {
	return [
		discardedPath(node, cluster),
		unfinishedPath(node, cluster),
		preparedPath(node, cluster),
	];
}
