import type { NodeEntry } from "../../config/inventory.js";
import type { OperationContext } from "../context.js";
import { writeNodeConfig } from "../node-service.js";
import { switchRelease } from "./installed.js";

/**
 * From its next start on, the node runs this release, which is there; null: what came with this raftctl. Its link and its
 * node.yaml are two files, and whoever is killed in between leaves them apart. A raftd that lies in a release takes version
 * and application from that release alone; one that lies in none takes them from node.yaml. So the link decides both, as
 * long as node.yaml names no release before it goes.
 */
export async function giveRelease(
	context: OperationContext,
	node: NodeEntry,
	{
		version,
		isRunning = false,
	}: { readonly version: string | null; readonly isRunning?: boolean },
): Promise<void> {
	if (version !== null) await switchRelease(context, node, version);
	await writeNodeConfig(context, node, {
		isRunning,
		...(version === null ? { release: null } : {}),
	});
	if (version === null) await switchRelease(context, node, null);
}
