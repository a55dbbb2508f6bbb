import "./interpreted.js";
import { dirname, resolve } from "node:path";
import { documentError } from "../documents/document-error.js";
import { readPartially } from "../documents/read-document.js";
import { readText } from "../documents/read-file.js";
import { needsAgents, resolveBalancer } from "./balancer.js";
import { checkCluster } from "./checks.js";
import {
	type ClusterFile,
	type ClusterFileNode,
	clusterFile,
} from "./cluster-file.js";
import {
	type CanaryRequests,
	type Inventory,
	type NodeEntry,
	origin,
} from "./inventory.js";
import {
	addressOf,
	resolveDeploy,
	resolveHosts,
	resolveSsh,
} from "./places.js";
import { agentBeside, nodeAddresses } from "./ports.js";
import { resolveS3 } from "./s3.js";
import { resolveTls } from "./tls.js";

export interface ParseOptions {
	/** What errors call the file: its path as given, or "-" for stdin. */
	readonly source: string;
	/** Relative paths in the file start here: the file's own directory, absolute. */
	readonly directory: string;
	/** Where the file lies, absolute; null, or left out, when it is none. */
	readonly path?: string | null;
}

/**
 * Reads and checks a cluster file. `path` may be relative to `workingDirectory`. Throws OperatorError "config" that
 * names every mistake with file:line:column.
 */
export async function loadInventory(
	path: string,
	workingDirectory: string,
): Promise<Inventory> {
	const absolute = resolve(workingDirectory, path);
	const text = await readText(
		absolute,
		"write one with `raftctl init`, or name it with --config",
	);
	return parseInventory(text, {
		source: path,
		directory: dirname(absolute),
		path: absolute,
	});
}

/** The same for a text already read. */
export function parseInventory(
	text: string,
	{ source, directory, path = null }: ParseOptions,
): Inventory {
	const { document, problems } = readPartially(text, source, {
		schema: clusterFile,
		standIns,
	});
	if (document === null) throw documentError(source, problems);
	const inventory = resolveInventory(document.value, { source, directory });
	const found = checkCluster(document, inventory);
	const all = [...problems, ...found.problems];
	if (all.length > 0) throw documentError(source, all);
	return freeze({
		...inventory,
		warnings: found.warnings,
		[origin]: { path, directory, text },
	});
}

/** A file without these is refused; its nodes are checked all the same. */
const standIns = { name: "unnamed", id: "unnamed" };

function resolveInventory(
	file: ClusterFile,
	{ source, directory }: ParseOptions,
): Inventory {
	const state = resolve(directory, file.state ?? `.raftctl/${file.name}`);
	const { timing, roll } = file;
	const hosts = resolveHosts(file.hosts, directory);
	const deploy = resolveDeploy(file);
	const balancer = resolveBalancer(file.balancer, {
		name: file.name,
		...{ portBase: file.portBase, directory },
		addressOf: (host) => addressOf(hosts, host),
	});
	return {
		source,
		name: file.name,
		id: file.id,
		engine: file.engine,
		stateDirectory: state,
		portBase: file.portBase,
		hosts,
		ssh: resolveSsh(file.ssh, directory),
		deploy,
		nodes: file.nodes.map((node) =>
			resolveNode(typeof node === "string" ? shortNode(node, "local") : node, {
				portBase: file.portBase,
				balancer,
				hosts,
				deploy,
				directory,
				state,
			}),
		),
		balancer,
		timing: {
			electionTimeoutMs: timing.electionTimeout,
			heartbeatIntervalMs: timing.heartbeatInterval,
			transferTimeoutMs: timing.transferTimeout,
			diskStallMs: timing.diskStall,
		},
		limits: file.limits,
		log: file.log,
		roll: {
			settleMs: roll.settle,
			drainTimeoutMs: roll.drainTimeout,
			closeOverMs: roll.closeOver,
			startTimeoutMs: roll.startTimeout,
			stopTimeoutMs: roll.stopTimeout,
		},
		canary: resolveCanary(file.canary),
		s3: resolveS3(file.s3),
		tls: resolveTls(file.tls, { directory, state }),
		app: file.app === undefined ? null : resolve(directory, file.app),
		warnings: [],
	};
}

function resolveCanary(canary: ClusterFile["canary"]): CanaryRequests | null {
	if (canary === undefined) return null;
	const { write, read, remove } = canary;
	const request = ({ path, body }: typeof write) => ({
		...{ path, body: body ?? null },
	});
	return {
		write: request(write),
		read: request(read),
		remove: remove === undefined ? null : request(remove),
	};
}

/** What a node is of which no more is said than its id and its host; addresses are empty where its id leads to none. */
export function plainNode(
	id: string,
	{
		portBase,
		balancer,
		hosts,
		deploy,
		stateDirectory,
	}: Pick<
		Inventory,
		"portBase" | "balancer" | "hosts" | "deploy" | "stateDirectory"
	>,
	host = "local",
): NodeEntry {
	return resolveNode(shortNode(id, host), {
		...{ portBase, balancer, hosts, deploy },
		...{ state: stateDirectory, directory: "" },
	});
}

function shortNode(id: string, host: string): ClusterFileNode {
	return { id, host, role: "voter" };
}

interface Place
	extends Pick<Inventory, "portBase" | "balancer" | "hosts" | "deploy"> {
	readonly directory: string;
	readonly state: string;
}

function resolveNode(node: ClusterFileNode, place: Place): NodeEntry {
	const { portBase, hosts, deploy } = place;
	const address = addressOf(hosts, node.host);
	const derived = nodeAddresses(node.id, portBase, address);
	const [state, start] =
		node.host === "local"
			? [place.state, place.directory]
			: [deploy.state, deploy.state];
	const peer = node.peer ?? derived?.peer ?? "";
	const client = node.client ?? derived?.client ?? "";
	const agent = needsAgents(place.balancer)
		? agentBeside({ peer, client })
		: null;
	return {
		id: node.id,
		host: node.host,
		role: node.role,
		...{ peer, client },
		admin: node.admin ?? derived?.admin ?? "",
		agent: node.agent ?? agent,
		dataDirectory:
			node.data === undefined
				? resolve(state, node.id, "data")
				: resolve(start, node.data),
	};
}

function freeze<T extends object>(value: T): T {
	for (const part of Object.values(value))
		if (typeof part === "object" && part !== null) freeze(part as object);
	return Object.freeze(value);
}
