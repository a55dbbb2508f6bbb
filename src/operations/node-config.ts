import { join } from "node:path";
import type { Inventory, NodeEntry } from "../config/inventory.js";

/** Readable by the operator alone: it names where the data lies. */
export const configMode = 0o600;

export function nodeConfigPath(
	{ stateDirectory }: Inventory,
	{ id }: NodeEntry,
): string {
	return join(stateDirectory, id, "node.yaml");
}

/** node.yaml, what `raftd --config` reads. The members are those a cluster is founded with; later ones are in the log. */
export async function renderNodeConfig(
	inventory: Inventory,
	node: NodeEntry,
): Promise<string> {
	const { stringify } = await import("yaml");
	const { peer, client, admin, agent } = node;
	const header = `# Written by raftctl from ${inventory.source === "-" ? "its standard input" : inventory.source}; changes here are lost.\n`;
	return (
		header +
		stringify({
			cluster: { id: inventory.id, name: inventory.name },
			node: node.id,
			data: node.dataDirectory,
			listen: { peer, client, admin, ...(agent === null ? {} : { agent }) },
			members: inventory.nodes.map((member) => ({
				id: member.id,
				role: member.role,
				peer: member.peer,
				client: member.client,
				admin: member.admin,
			})),
			timing: { ...inventory.timing },
			drain: drainOf(inventory),
			...(inventory.app === null ? {} : { app: inventory.app }),
		})
	);
}

/** What the node does by itself on SIGTERM has to end before raftctl gives up waiting for it. */
function drainOf({ roll }: Inventory) {
	return {
		closeOverMs: roll.closeOverMs,
		timeoutMs: Math.max(100, Math.floor(roll.stopTimeoutMs * 0.8)),
	};
}
