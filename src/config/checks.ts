import { nearest } from "../documents/nearest.js";
import type { DocumentPath, ReadDocument } from "../documents/read-document.js";
import { listening } from "./balancer.js";
import type { ClusterFile } from "./cluster-file.js";
import type { Inventory, NodeEntry } from "./inventory.js";

interface Findings {
	/** What makes the file unusable, with its places. */
	readonly problems: readonly string[];
	/** What is allowed and worth saying. */
	readonly warnings: readonly string[];
}

type File = ReadDocument<ClusterFile>;

/**
 * What a schema cannot say: how the parts of a cluster file fit together. Of a file of which not all could be read, only
 * what was written is judged: a default that stands in for a mistake must not make another one.
 */
export function checkCluster(file: File, inventory: Inventory): Findings {
	return {
		problems: [
			...duplicateIds(file, inventory),
			...missingAddresses(file, inventory),
			...duplicateAddresses(file, inventory),
			...wildcardAddresses(file, inventory),
			...sharedData(file, inventory),
			...reservedHosts(file, inventory),
			...unknownHosts(file, inventory),
			...embeddedElsewhere(file, inventory),
			...nginxWithTls(file, inventory),
			...loopbackAmongHosts(file, inventory),
			...timing(file, inventory),
			...voters(file, inventory),
		],
		warnings: [
			...voterWarnings(file, inventory),
			...plainTextWarnings(file, inventory),
		],
	};
}

function duplicateIds(file: File, { nodes }: Inventory): string[] {
	return nodes.flatMap(({ id }, position) => {
		const first = nodes.findIndex((other) => other.id === id);
		if (first === position) return [];
		return [
			`${file.locate(pathOf(file, position, "id"))} the node id ${JSON.stringify(id)} is there twice (first at ${file.locate(pathOf(file, first, "id"))}); every node needs its own`,
		];
	});
}

const addressKeys = ["peer", "client", "admin"] as const;

function missingAddresses(file: File, { nodes }: Inventory): string[] {
	return nodes.flatMap((node, position) => {
		const missing = addressKeys.filter((key) => node[key] === "");
		if (missing.length === 0 || file.doubts(["nodes", position])) return [];
		return [
			`${file.locate(["nodes", position])} nodes[${position}] has no ${missing.join(", no ")}, and its id ${JSON.stringify(node.id)} ends in no number from 1 to 99 to choose ports by; add ${missing.map((key) => `"${key}: host:port"`).join(", ")}, or call it like n1`,
		];
	});
}

interface Claim {
	readonly address: string;
	readonly host: string;
	readonly path: DocumentPath;
	readonly name: string;
}

/** Every address that something of this cluster listens on. */
function claims(file: File, { nodes, balancer }: Inventory): Claim[] {
	if (file.doubts(["portBase"])) return [];
	const ofNodes = nodes.flatMap((node, position) =>
		([...addressKeys, "agent"] as const).flatMap((key) => {
			const address = node[key];
			if (address === null || address === "") return [];
			if (file.doubts(["nodes", position])) return [];
			// An id that is there twice is named already; its ports would only repeat it.
			if (nodes.findIndex(({ id }) => id === node.id) < position) return [];
			const path = pathOf(file, position, key);
			return [{ address, host: node.host, path, name: `${node.id}'s ${key}` }];
		}),
	);
	if (file.doubts(["balancer"])) return ofNodes;
	const ofBalancer = listening(balancer).map(({ host, address, key }) => ({
		...{ host, address, path: ["balancer", key] },
		name: key === "listen" ? "the balancer" : "the balancer's admin",
	}));
	return [...ofNodes, ...ofBalancer];
}

/** On one machine a port is taken once, whatever names lead to it. */
function duplicateAddresses(file: File, inventory: Inventory): string[] {
	const taken = new Map<string, Claim>();
	return claims(file, inventory).flatMap((claim) => {
		const key = `${claim.host}:${portOf(claim.address)}`;
		const first = taken.get(key);
		if (first === undefined) {
			taken.set(key, claim);
			return [];
		}
		return [
			`${file.locate(claim.path)} ${claim.name} and ${first.name} both want port ${portOf(claim.address)} (first at ${file.locate(first.path)}); give one of them another`,
		];
	});
}

const wildcard = /^(0\.0\.0\.0|\[::\]):/;

function wildcardAddresses(file: File, inventory: Inventory): string[] {
	const isEmbedded = inventory.balancer?.kind === "embedded";
	return claims(file, inventory)
		.filter(({ path }) => path[0] !== "balancer" || isEmbedded)
		.filter(({ address }) => wildcard.test(address))
		.map(
			({ address, name, path }) =>
				`${file.locate(path)} ${name} is ${address}, which nobody can connect to; give the address by which others reach it`,
		);
}

/** Two nodes in one directory would destroy each other's log; raftd's lock refuses it too, but late. */
function sharedData(file: File, { nodes }: Inventory): string[] {
	return nodes.flatMap(({ id, host, dataDirectory }, position) => {
		const first = nodes.findIndex(
			(other) => other.host === host && other.dataDirectory === dataDirectory,
		);
		const other = nodes[first];
		if (other === undefined || first === position || other.id === id) return [];
		if (file.doubts(["nodes", position]) || file.doubts(["nodes", first]))
			return [];
		return [
			`${file.locate(pathOf(file, position, "data"))} ${id} and ${other.id} have the same data directory; give each its own`,
		];
	});
}

function unknownHosts(file: File, inventory: Inventory): string[] {
	const { nodes, hosts, balancer } = inventory;
	if (file.doubts(["hosts"])) return [];
	const known = ["local", ...hosts.map(({ name }) => name)];
	const ofNodes = nodes.map(({ host }, position) => ({
		...{ host, path: pathOf(file, position, "host") },
	}));
	const asked = [...ofNodes, ...hostsOfBalancer(file, balancer)];
	return asked.flatMap(({ host, path }) => {
		if (known.includes(host)) return [];
		const near = nearest(host, known);
		const hint =
			near === null
				? `name it under hosts ("${host}: its address"), or write "local", which is this machine`
				: `did you mean ${JSON.stringify(near)}?`;
		return [
			`${file.locate(path)} the host ${JSON.stringify(host)} is not known; ${hint}`,
		];
	});
}

function hostsOfBalancer(
	file: File,
	balancer: Inventory["balancer"],
): { host: string; path: DocumentPath }[] {
	if (file.doubts(["balancer"])) return [];
	if (balancer?.kind !== "haproxy" && balancer?.kind !== "nginx") return [];
	const { hosts } = balancer;
	const several = ["balancer", "hosts"];
	return hosts.map((host, position) => ({
		host,
		path: hosts.length > 1 ? [...several, position] : ["balancer", "host"],
	}));
}

/** "local" needs no entry, and one that says otherwise would be heeded by nobody. */
function reservedHosts(file: File, { hosts }: Inventory): string[] {
	return hosts
		.filter(({ name }) => name === "local")
		.map(
			({ name }) =>
				`${file.locate(["hosts", name])} "local" is this machine and cannot be another one; give the host another name`,
		);
}

const loopback = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):/;

/** What a node calls itself goes to the others: on another machine 127.0.0.1 leads to that machine. */
function loopbackAmongHosts(file: File, { nodes }: Inventory): string[] {
	if (new Set(nodes.map(({ host }) => host)).size < 2) return [];
	return nodes.flatMap((node, position) =>
		addressKeys
			.filter((key) => loopback.test(node[key]))
			.filter(() => !file.doubts(["nodes", position]))
			.map(
				(key) =>
					`${file.locate(pathOf(file, position, key))} ${node.id}'s ${key} is ${node[key]}, which on the other hosts leads to themselves; give the address by which they reach it`,
			),
	);
}

/** The other kinds are programs that their hosts keep; this one is a process that `up` starts here. */
function embeddedElsewhere(file: File, { balancer }: Inventory): string[] {
	if (balancer?.kind !== "embedded" || balancer.host === "local") return [];
	return [
		`${file.locate(["balancer", "host"])} the embedded balancer runs on "local", this machine, not on ${JSON.stringify(balancer.host)}; leave its host out`,
	];
}

/** What raftctl writes for it is within http, where TLS would have to end at nginx. */
function nginxWithTls(file: File, { balancer, tls }: Inventory): string[] {
	if (balancer?.kind !== "nginx" || tls === null) return [];
	return [
		`${file.locate(["balancer", "kind"])} nginx cannot stand before a cluster with TLS: the nodes' certificates must reach the applications; take "kind: haproxy" or "kind: embedded", which pass TLS on`,
	];
}

/** Fewer heartbeats in an election timeout, and one lost packet starts an election. */
const heartbeatsPerElection = 5;

function timing(file: File, { timing: clocks }: Inventory): string[] {
	const { electionTimeoutMs, heartbeatIntervalMs } = clocks;
	const leastMs = heartbeatsPerElection * heartbeatIntervalMs;
	if (electionTimeoutMs >= leastMs || file.doubts(["timing"])) return [];
	return [
		`${file.locate(["timing", "electionTimeout"])} timing.electionTimeout is ${electionTimeoutMs} ms, less than ${heartbeatsPerElection} heartbeat intervals (${leastMs} ms): one lost packet would start an election; raise it, or lower timing.heartbeatInterval`,
	];
}

function voters(file: File, { nodes }: Inventory): string[] {
	if (nodes.some(isVoter) || file.doubts(["nodes"])) return [];
	return [
		`${file.locate(["nodes"])} no node is a voter, so nothing could ever be decided; give at least one "role: voter"`,
	];
}

function voterWarnings(file: File, { nodes }: Inventory): string[] {
	const count = nodes.filter(isVoter).length;
	const place = file.locate(["nodes"]);
	if (count === 1)
		return [
			`${place} one voter: when it is down, the cluster is down, a rolling restart included; three survive the loss of one`,
		];
	if (count === 0 || count % 2 === 1) return [];
	const tolerated = count / 2 - 1;
	return [
		`${place} ${count} voters survive the loss of ${tolerated}, no more than ${count - 1} would: a majority of ${count} is ${count / 2 + 1}; take one out, or add one`,
	];
}

function plainTextWarnings(file: File, { nodes, tls }: Inventory): string[] {
	if (tls !== null || file.doubts(["tls"])) return [];
	const at = nodes.findIndex(({ peer, client, admin }) =>
		[peer, client, admin].some((one) => one !== "" && !loopback.test(one)),
	);
	const node = nodes[at];
	if (node === undefined || file.doubts(["nodes", at])) return [];
	return [
		`${file.locate(["nodes", at])} ${node.id} is reached over a network, in plain text, and whoever reaches its admin port may operate the cluster: add tls, then give raftctl certs init`,
	];
}

function isVoter({ role }: NodeEntry): boolean {
	return role === "voter";
}

function portOf(address: string): string {
	return String(Number(address.slice(address.lastIndexOf(":") + 1)));
}

/** A node written as its bare id has no keys to point at. */
function pathOf(file: File, position: number, key: string): DocumentPath {
	return typeof file.value.nodes[position] === "string"
		? ["nodes", position]
		: ["nodes", position, key];
}
