import { join } from "node:path";
import { reactionMsOf } from "../balancers/haproxy/timing.js";
import type { MemberStatus } from "../cluster/engine.js";
import type { Inventory, NodeEntry } from "../config/inventory.js";
import { stateDirectoryOn } from "../config/places.js";
import { nodeTlsPaths } from "./certs/node-paths.js";

/** Readable by the operator alone: it names where the data lies. */
export const configMode = 0o600;

export function nodeConfigPath(
	inventory: Inventory,
	{ id, host }: NodeEntry,
): string {
	return join(stateDirectoryOn(inventory, host), id, "node.yaml");
}

export interface NodeConfigOptions {
	/**
	 * The members of a cluster that runs, as it has them: the node waits until it is added, and never founds anything. Left
	 * out for the founders, whose members are those of the file; later ones are in the log.
	 */
	readonly join?: readonly Member[];
	/** What it runs; null where that is what came with this raftctl. */
	readonly release?: RunRelease | null;
}

/** A release on the node's host. */
export interface RunRelease {
	readonly version: string;
	/** The path of its module there; null for the bundled machine. */
	readonly app: string | null;
}

type Member = Pick<MemberStatus, "id" | "role" | "peer" | "client" | "admin">;

/** node.yaml, what `raftd --config` reads. */
export async function renderNodeConfig(
	inventory: Inventory,
	node: NodeEntry,
	{ join: present, release = null }: NodeConfigOptions = {},
): Promise<string> {
	const { stringify } = await import("yaml");
	const { peer, client, admin, agent } = node;
	const header = `# Written by raftctl from ${inventory.source === "-" ? "its standard input" : inventory.source}; changes here are lost.\n`;
	const members =
		present === undefined ? inventory.nodes : besides(present, node);
	const app = release === null ? inventory.app : release.app;
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
			...limitsOf(inventory),
			...(app === null ? {} : { app }),
			...(release === null ? {} : { release: release.version }),
			...s3Of(inventory),
			...tlsOf(inventory, node),
		})
	);
}

/** What is as raftd has it by itself is left out, so that a file which says nothing of it changes no node. */
function limitsOf({ limits, log }: Inventory) {
	return {
		...(Object.keys(limits).length === 0 ? {} : { limits }),
		...(log.level === "info" ? {} : { log }),
	};
}

/** Certificate and key are one file, which is replaced at once. */
function tlsOf(inventory: Inventory, node: NodeEntry) {
	const { tls } = inventory;
	if (tls === null) return {};
	const { ca, leaf } = nodeTlsPaths(inventory, node);
	const { clientCertificates } = tls;
	return { tls: { ca, cert: leaf, key: leaf, client: { clientCertificates } } };
}

const addressKeys = ["peer", "client", "admin"] as const;

/**
 * The members that a newcomer has to reach, and itself as a learner; as a voter where it is the only one, for raftd refuses a
 * file without any. One whose address the newcomer takes over is gone, or is about to be: raftd refuses an address that is
 * there twice.
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
	const isLone = others.every(({ role }) => role === "learner");
	return [...others, { ...node, role: isLone ? "voter" : "learner" }];
}

function memberOf({ id, role, peer, client, admin }: Member) {
	// A voter on its way out votes for as long as the change lasts; raftd's file knows two roles.
	const written = role === "learner" ? "learner" : "voter";
	return { id, role: written, peer, client, admin };
}

/** What the node does by itself on SIGTERM has to end before raftctl gives up waiting for it. */
function drainOf({ roll, balancer }: Inventory) {
	return {
		...announcing(balancer),
		closeOverMs: roll.closeOverMs,
		timeoutMs: Math.max(100, Math.floor(roll.stopTimeoutMs * 0.8)),
	};
}

/** A node that is stopped by somebody else has to be heard by HAProxy before its connections move. */
function announcing(balancer: Inventory["balancer"]) {
	return balancer?.kind === "haproxy"
		? { announceMs: reactionMsOf(balancer) }
		: {};
}

/** What the node shows to S3. Where copies go is the schedule's business, which is in the log. */
function s3Of({ s3 }: Inventory) {
	const caFile = s3?.caFile ?? null;
	const shown = { ...s3?.access, ...(caFile === null ? {} : { caFile }) };
	return Object.keys(shown).length === 0 ? {} : { s3: shown };
}

/** Whether this node.yaml is one of a node that was added to a cluster. */
export async function joins(content: Uint8Array | null): Promise<boolean> {
	return (await settingsOf(content)).get("join") === "true";
}

/** Null where it names none; undefined where `content` is no readable configuration. */
export async function releaseIn(
	content: Uint8Array | null,
): Promise<string | null | undefined> {
	const settings = await settingsOf(content);
	if (settings.size === 0) return undefined;
	return JSON.parse(settings.get("release") ?? "null");
}

export interface ConfigDifference {
	/** As "timing.electionTimeoutMs"; "node.yaml" where there is no readable one. */
	readonly key: string;
	/** As JSON; null where there is none. */
	readonly wanted: string | null;
	readonly present: string | null;
}

/** Heeded by a node without a log only: every other one has its members in the log. */
const foundingKeys = ["members", "join"];

/** What a node would be told otherwise by `wanted` than by what lies on its host; who founded it with whom is past. */
export async function configDifferences(
	present: Uint8Array | null,
	wanted: Uint8Array,
): Promise<readonly ConfigDifference[]> {
	const is = await settingsOf(present);
	if (is.size === 0)
		return [{ key: "node.yaml", wanted: "as the file says", present: null }];
	const shall = await settingsOf(wanted);
	return [...new Set([...shall.keys(), ...is.keys()])].flatMap((key) => {
		const [one, other] = [shall.get(key) ?? null, is.get(key) ?? null];
		return one === other || foundingKeys.includes(key)
			? []
			: [{ key, wanted: one, present: other }];
	});
}

/** The settings by their names, of mappings each part by its own; empty when it cannot be read. */
async function settingsOf(
	content: Uint8Array | null,
): Promise<ReadonlyMap<string, string>> {
	if (content === null) return new Map();
	const { parse } = await import("yaml");
	try {
		return new Map(settings(parse(Buffer.from(content).toString("utf8")), ""));
	} catch {
		return new Map();
	}
}

function settings(value: unknown, name: string): [string, string][] {
	if (typeof value !== "object" || value === null || Array.isArray(value))
		return name === "" ? [] : [[name, JSON.stringify(value)]];
	return Object.entries(value).flatMap(([key, part]) =>
		settings(part, name === "" ? key : `${name}.${key}`),
	);
}
