import { isAbsolute, join, normalize, resolve, sep } from "node:path";
import type { NodeStatus } from "../../cluster/engine.js";
import type { Inventory, NodeEntry } from "../../config/inventory.js";
import { stateDirectoryOn } from "../../config/places.js";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";

/** What `identity.json` of a data directory says, as far as it can be read. */
export interface DataIdentity {
	readonly clusterId: string;
	readonly nodeId: string;
	readonly incarnation: string;
}

/** Whose data directory it is; null when there is none, or when nobody can say. */
export async function identityOf(
	{ machines }: OperationContext,
	{ host, dataDirectory }: NodeEntry,
): Promise<DataIdentity | null> {
	const machine = await machines.host(host);
	const bytes = await machine.read(join(dataDirectory, "identity.json"));
	if (bytes === null) return null;
	try {
		const found = JSON.parse(Buffer.from(bytes).toString("utf8"));
		const text = (value: unknown) => (typeof value === "string" ? value : "");
		return {
			clusterId: text(found?.clusterId),
			nodeId: text(found?.nodeId),
			incarnation: text(found?.incarnation),
		};
	} catch {
		return { clusterId: "", nodeId: "", incarnation: "" };
	}
}

/** What every new file system of Linux has in its root. */
export const diskDirectory = "lost+found";

/** What a raftd leaves that ended before it had said whose directory it is. */
const beginnings = ["lock", "identity.json.tmp", diskDirectory];

/** What raftd did not put into a directory in which no identity lies. Pure. */
export function foreignAmong(names: readonly string[]): readonly string[] {
	return names.filter((name) => !beginnings.includes(name));
}

/**
 * Why this data directory cannot become a new member's; null when it may. Whether it holds a log of its own, only the
 * running node says (`candidateFault`). Pure.
 */
export function directoryFault(
	identity: DataIdentity | null,
	expected: { readonly clusterId: string; readonly node: NodeEntry },
): string | null {
	const { clusterId, node } = expected;
	if (identity === null) return null;
	if (identity.clusterId !== "" && identity.clusterId !== clusterId)
		return `its data directory belongs to another cluster (${identity.clusterId})`;
	if (identity.nodeId !== "" && identity.nodeId !== node.id)
		return `its data directory belongs to the node ${identity.nodeId}`;
	return null;
}

/**
 * Why what answers at the node's address must not be added as a new member; null when it may: a node of this cluster's id
 * and of this name that waits, with an empty log. One that has a log was founded by mistake or was a member before; its
 * entries may not be this cluster's (P31). Pure.
 */
export function candidateFault(
	status: NodeStatus,
	expected: { readonly clusterId: string; readonly node: NodeEntry },
): string | null {
	const { node } = expected;
	const stranger = strangerFault(status, expected);
	if (stranger !== null) return stranger;
	if (status.configurationIndex === 0 && status.members.length === 0)
		return null;
	const members = status.members.map(({ id }) => id).join(", ");
	const isMember = status.members.some(({ id }) => id === node.id);
	return isMember
		? `it has a log already, as a founder of ${members} or as a former member`
		: `it has a log already, as a former member beside ${members}`;
}

/** Why what answers at the node's address is another node; null when it is this one. Pure. */
export function strangerFault(
	status: NodeStatus,
	{ clusterId, node }: { readonly clusterId: string; readonly node: NodeEntry },
): string | null {
	if (status.clusterId !== clusterId)
		return `${node.admin} belongs to another cluster (${status.clusterId || "no id"})`;
	if (status.nodeId !== node.id)
		return `${node.admin} answers as ${status.nodeId || "no node"}`;
	return null;
}

/** The refusal of a node that cannot be added, with the way on: a data directory is moved, never emptied. */
export function refusedCandidate(
	node: NodeEntry,
	fault: string,
	state: string,
): OperatorError {
	return new OperatorError("refused", `${node.id} cannot be added: ${fault}`, {
		node: node.id,
		state,
		remedy:
			node.dataDirectory === ""
				? "give it an empty data directory"
				: `stop it if it runs, look into its data directory and move it away (mv ${node.dataDirectory} ${node.dataDirectory}.old)`,
	});
}

/**
 * Throws OperatorError "refused" unless this path may be moved away or removed: absolute and plain, not a root, nobody
 * else's data, and not the directory in which raftctl keeps its own.
 */
export function requireRemovable(
	inventory: Inventory,
	{ id, host, dataDirectory: path }: NodeEntry,
): void {
	const stateDirectory = stateDirectoryOn(inventory, host);
	const nodes = inventory.nodes.filter((node) => node.host === host);
	const holds = (inner: string) =>
		inner === path || resolve(inner).startsWith(path + sep);
	const fault =
		!isAbsolute(path) || normalize(path) !== path || path.endsWith(sep)
			? "is not a plain absolute path"
			: path.split(sep).filter((part) => part !== "").length < 2
				? "is a root"
				: holds(stateDirectory)
					? `holds raftctl's own ${stateDirectory}`
					: nodes.some((node) => node.id !== id && holds(node.dataDirectory))
						? "holds the data of another node"
						: null;
	if (fault === null) return;
	throw new OperatorError(
		"refused",
		`the data directory of ${id} is not touched: ${path} ${fault}`,
		{ node: id, state: "nothing was removed" },
	);
}
