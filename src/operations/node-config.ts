import { join } from "node:path";
import type { MemberStatus } from "../cluster/engine.js";
import type { Inventory, NodeEntry } from "../config/inventory.js";

/** Readable by the operator alone: it names where the data lies. */
export const configMode = 0o600;

export function nodeConfigPath(
	{ stateDirectory }: Inventory,
	{ id }: NodeEntry,
): string {
	return join(stateDirectory, id, "node.yaml");
}

export interface NodeConfigOptions {
	/**
	 * The members of a cluster that runs, as it has them: the node waits until it is added, and never founds anything. Left
	 * out for the founders, whose members are those of the file; later ones are in the log.
	 */
	readonly join?: readonly Member[];
}

type Member = Pick<MemberStatus, "id" | "role" | "peer" | "client" | "admin">;

/** node.yaml, what `raftd --config` reads. */
export async function renderNodeConfig(
	inventory: Inventory,
	node: NodeEntry,
	{ join: present }: NodeConfigOptions = {},
): Promise<string> {
	const { stringify } = await import("yaml");
	const { peer, client, admin, agent } = node;
	const header = `# Written by raftctl from ${inventory.source === "-" ? "its standard input" : inventory.source}; changes here are lost.\n`;
	const members =
		present === undefined ? inventory.nodes : besides(present, node);
	return (
		header +
		stringify({
			cluster: { id: inventory.id, name: inventory.name },
			node: node.id,
			data: node.dataDirectory,
			listen: { peer, client, admin, ...(agent === null ? {} : { agent }) },
			members: members.map(memberOf),
			...(present === undefined ? {} : { join: true }),
			timing: { ...inventory.timing },
			drain: drainOf(inventory),
			...(inventory.app === null ? {} : { app: inventory.app }),
		})
	);
}

const addressKeys = ["peer", "client", "admin"] as const;

/**
 * The members that a newcomer has to reach, and itself as a learner. One whose address the newcomer takes over is gone,
 * or is about to be: raftd refuses an address that is there twice.
 */
function besides(
	present: readonly Member[],
	node: NodeEntry,
): readonly Member[] {
	const others = present.filter(
		(member) =>
			member.id !== node.id &&
			!addressKeys.some((key) => member[key] === node[key]),
	);
	return [...others, { ...node, role: "learner" }];
}

function memberOf({ id, role, peer, client, admin }: Member) {
	// A voter on its way out votes for as long as the change lasts; raftd's file knows two roles.
	const written = role === "learner" ? "learner" : "voter";
	return { id, role: written, peer, client, admin };
}

/** What the node does by itself on SIGTERM has to end before raftctl gives up waiting for it. */
function drainOf({ roll }: Inventory) {
	return {
		closeOverMs: roll.closeOverMs,
		timeoutMs: Math.max(100, Math.floor(roll.stopTimeoutMs * 0.8)),
	};
}
