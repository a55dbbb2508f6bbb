import { OperatorError } from "../errors.js";
import { address } from "./address.js";
import { needsAgents } from "./balancer.js";
import type { Inventory, NodeEntry } from "./inventory.js";
import { plainNode } from "./load.js";
import { portOf, portsOn, requireValid } from "./new-node.js";
import { addressOf } from "./places.js";

/** Where a node is to be, as it was said on the command line. What is left out stays, or follows from the rest. */
export interface GivenPlace {
	/** One of `hosts`, or "local"; its addresses are the host's then. */
	readonly host?: string;
	/** The name or address alone: the ports stay. */
	readonly address?: string;
	/** host:port. With another port of peer, those of client, admin and agent move by as much. */
	readonly peer?: string;
	readonly client?: string;
	readonly admin?: string;
}

const addressKeys = ["peer", "client", "admin"] as const;

/**
 * The node of the cluster file at another place. Throws OperatorError "usage" for an unknown host, an address that is none,
 * or one that something else has already. Pure.
 */
export function movedNode(
	inventory: Inventory,
	node: NodeEntry,
	given: GivenPlace,
): NodeEntry {
	const host = given.host ?? node.host;
	requireKnownHost(inventory, host);
	const name =
		given.address ??
		(given.host === undefined ? undefined : addressOf(inventory.hosts, host));
	const shift = given.peer === undefined ? 0 : shiftOf(node.peer, given.peer);
	const beside = name ?? (shift === 0 ? undefined : hostIn(given.peer ?? ""));
	const placed = (present: string) =>
		written(beside ?? hostIn(present), Number(portOf(present)) + shift);
	const moved = {
		...node,
		host,
		peer: given.peer ?? written(name ?? hostIn(node.peer), portOf(node.peer)),
		client: given.client ?? placed(node.client),
		admin: given.admin ?? placed(node.admin),
		agent: node.agent === null ? null : placed(node.agent),
		dataDirectory: dataDirectoryOn(inventory, node, host),
	};
	for (const key of addressKeys) requireValid(key, moved[key], address);
	if (moved.agent !== null && needsAgents(inventory.balancer))
		requireValid("agent", moved.agent, address);
	requireFree(inventory, node, moved);
	return moved;
}

/** What it has already it may keep; what is new must be nobody's, and its own only once. */
function requireFree(
	inventory: Inventory,
	node: NodeEntry,
	moved: NodeEntry,
): void {
	const nodes = inventory.nodes.filter(({ id }) => id !== node.id);
	const taken = portsOn({ ...inventory, nodes }, moved.host);
	const keys = [...addressKeys, "agent"] as const;
	const own = keys.flatMap((key) => moved[key] ?? []);
	const problems = keys.flatMap((key) => {
		const wanted = moved[key];
		if (wanted === null) return [];
		if (wanted === node[key] && moved.host === node.host) return [];
		const port = portOf(wanted);
		const holder = taken.get(port);
		if (holder !== undefined) return [`port ${port} is taken by ${holder}`];
		return own.filter((one) => portOf(one) === port).length > 1
			? [`port ${port} would be wanted twice`]
			: [];
	});
	if (problems.length === 0) return;
	throw new OperatorError("usage", `${node.id} cannot be moved there`, {
		problems: [...new Set(problems)],
		state: "nothing was touched",
		next: "give it other ports",
	});
}

/** Where it lies by default it does so on each host; a path that was given is the same there. */
function dataDirectoryOn(
	inventory: Inventory,
	{ id, host, dataDirectory }: NodeEntry,
	target: string,
): string {
	const isDefault =
		plainNode(id, inventory, host).dataDirectory === dataDirectory;
	return isDefault
		? plainNode(id, inventory, target).dataDirectory
		: dataDirectory;
}

function requireKnownHost({ hosts }: Inventory, host: string): void {
	if (host === "local" || hosts.some(({ name }) => name === host)) return;
	const names = ["local", ...hosts.map(({ name }) => name)];
	throw new OperatorError("usage", `the cluster file has no host ${host}`, {
		state: "nothing was touched",
		next: `choose from ${names.join(", ")}, or add it under hosts`,
	});
}

function shiftOf(from: string, to: string): number {
	return Number(portOf(to)) - Number(portOf(from));
}

function hostIn(text: string): string {
	return text.slice(0, text.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

function written(host: string, port: number | string): string {
	return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
