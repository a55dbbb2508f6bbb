import type { z } from "zod";
import { OperatorError } from "../errors.js";
import { address } from "./address.js";
import { listening, needsAgents } from "./balancer.js";
import type { ClusterFileEdit } from "./edits.js";
import type { Inventory, NodeEntry } from "./inventory.js";
import { plainNode } from "./load.js";
import { name } from "./name.js";
import { addressOf } from "./places.js";
import { agentBeside, blockAddresses, nodeNumberMax } from "./ports.js";

/** What was said of a node on the command line; what is left out follows from the cluster file. */
export interface GivenNode {
	readonly host?: string;
	readonly role?: NodeEntry["role"];
	readonly peer?: string;
	readonly client?: string;
	readonly admin?: string;
	readonly agent?: string;
	/** Absolute. */
	readonly data?: string;
}

export interface NodeToAdd {
	readonly entry: NodeEntry;
	/** What the cluster file lacks yet; empty when it has the node. */
	readonly edits: readonly ClusterFileEdit[];
}

/**
 * The node of this id: as the cluster file has it, or else made of what was given, a learner unless said otherwise, with
 * ports as `raftctl init` lays them out. Throws OperatorError "usage" for what fits neither the file nor itself.
 */
export function nodeEntryFor(
	inventory: Inventory,
	id: string,
	given: GivenNode = {},
): NodeToAdd {
	const known = inventory.nodes.find((node) => node.id === id);
	if (known !== undefined) {
		refuseContradiction(known, given);
		return { entry: known, edits: [] };
	}
	requireValid("the node's name", id, name);
	const entry = newEntry(inventory, id, given);
	for (const key of addressKeys) requireValid(key, entry[key], address);
	if (entry.agent !== null) requireValid("agent", entry.agent, address);
	refuseCollision(inventory, entry);
	return { entry, edits: [{ type: "add-node", node: entry }] };
}

const addressKeys = ["peer", "client", "admin"] as const;

function newEntry(
	inventory: Inventory,
	id: string,
	given: GivenNode,
): NodeEntry {
	const host = given.host ?? "local";
	const plain = plainNode(id, inventory, host);
	const laidOut = addressKeys.every((key) => given[key] !== undefined)
		? plain
		: freeBlock(inventory, plain, host);
	const client = given.client ?? laidOut.client;
	const peer = given.peer ?? laidOut.peer;
	const agent = needsAgents(inventory.balancer)
		? agentBeside({ peer, client })
		: null;
	return {
		id,
		host,
		role: given.role ?? "learner",
		peer,
		client,
		admin: given.admin ?? laidOut.admin,
		agent: given.agent ?? agent,
		dataDirectory: given.data ?? plain.dataDirectory,
	};
}

type Addresses = Pick<NodeEntry, (typeof addressKeys)[number]>;

/** The node's own block of ports by its number; when that is taken, or it has none, the lowest free one. */
function freeBlock(
	inventory: Inventory,
	plain: Addresses,
	host: string,
): Addresses {
	const taken = portsOn(inventory, host);
	const isFree = (block: Addresses) =>
		addressKeys.every((key) => !taken.has(portOf(block[key])));
	if (plain.peer !== "" && isFree(plain)) return plain;
	const address = addressOf(inventory.hosts, host);
	for (let number = 1; number <= nodeNumberMax; number += 1) {
		const block = blockAddresses(number, inventory.portBase, address);
		if (isFree(block)) return block;
	}
	throw new OperatorError(
		"usage",
		`no ports are free above the port base ${inventory.portBase}`,
		{
			state: "nothing was touched",
			next: "give its addresses: --peer host:port --client host:port --admin host:port",
		},
	);
}

/** On one machine a port is taken once, whatever names lead to it. */
export function portsOn(
	{ nodes, balancer }: Inventory,
	host: string,
): ReadonlyMap<string, string> {
	const ofNodes = nodes
		.filter((node) => node.host === host)
		.flatMap(({ id, peer, client, admin, agent }) =>
			[peer, client, admin, ...(agent === null ? [] : [agent])].map(
				(one): [string, string] => [portOf(one), id],
			),
		);
	const ofBalancer = listening(balancer)
		.filter((one) => one.host === host)
		.map((one): [string, string] => [portOf(one.address), "the balancer"]);
	return new Map([...ofNodes, ...ofBalancer]);
}

function refuseCollision(inventory: Inventory, entry: NodeEntry): void {
	const taken = portsOn(inventory, entry.host);
	const own = [
		...addressKeys.map((key) => entry[key]),
		...(entry.agent === null ? [] : [entry.agent]),
	];
	const problems = own.flatMap((one, at) => {
		const holder = taken.get(portOf(one));
		if (holder !== undefined)
			return [`port ${portOf(one)} is taken by ${holder}`];
		const first = own.findIndex((other) => portOf(other) === portOf(one));
		return first === at ? [] : [`port ${portOf(one)} is given twice`];
	});
	const neighbour = inventory.nodes.find(
		({ host, dataDirectory }) =>
			host === entry.host && dataDirectory === entry.dataDirectory,
	);
	if (neighbour !== undefined)
		problems.push(
			`${entry.dataDirectory} is the data directory of ${neighbour.id}`,
		);
	if (problems.length === 0) return;
	throw new OperatorError("usage", `${entry.id} cannot be made like this`, {
		problems,
		state: "nothing was touched",
		next: "give it other ports and a data directory of its own",
	});
}

/** One of the two is wrong, and only the user knows which. */
function refuseContradiction(known: NodeEntry, given: GivenNode): void {
	const pairs = [
		["host", known.host, given.host],
		["peer", known.peer, given.peer],
		["client", known.client, given.client],
		["admin", known.admin, given.admin],
		["agent", known.agent, given.agent],
		["data", known.dataDirectory, given.data],
	] as const;
	const problems = pairs.flatMap(([key, has, said]) =>
		said === undefined || said === has
			? []
			: [`${key} is ${has ?? "not there"} in the file, and ${said} here`],
	);
	if (problems.length === 0) return;
	throw new OperatorError(
		"usage",
		`the cluster file has ${known.id} already, otherwise than said here`,
		{
			problems,
			state: "nothing was touched",
			next: "leave the flags out, or edit the cluster file",
		},
	);
}

export function requireValid(
	what: string,
	value: string,
	schema: z.ZodType,
): void {
	const parsed = schema.safeParse(value);
	if (parsed.success) return;
	const [issue] = parsed.error.issues;
	throw new OperatorError(
		"usage",
		`${what} ${issue?.message ?? "is not valid"}; found ${JSON.stringify(value)}`,
		{
			state: "nothing was touched",
			next: `give the command again with ${what} put right`,
		},
	);
}

export function portOf(text: string): string {
	return String(Number(text.slice(text.lastIndexOf(":") + 1)));
}
