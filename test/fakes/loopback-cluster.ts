import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeReplica } from "../../src/daemon/engine/node-replica.js";
import {
	type ReplicaOptions,
	startReplica,
} from "../../src/daemon/engine/start.js";
import type { CommandOutcome, QueryOutcome } from "../../src/daemon/replica.js";
import { kv } from "../../src/machines/kv/machine.js";
import type { Machine } from "../../src/machines/machine.js";
import { membersOf } from "../../src/raft/configurations.js";
import type { Configuration } from "../../src/raft/types.js";

export interface LoopbackNode {
	readonly id: string;
	readonly directory: string;
	/** At which others reach it, and where it listens. */
	peer: string;
	listen: string;
	incarnation: string;
	readonly known: Map<string, string>;
	/** It founds nothing: it waits until it is added. */
	readonly joins: boolean;
	readonly diagnoses: { level: string; message: string; fields: unknown }[];
	readonly fatal: Error[];
	/** Null while the node is down. */
	replica: NodeReplica | null;
}

export interface LoopbackOptions {
	readonly machine?: Machine;
	readonly limits?: Readonly<Record<string, number>>;
	readonly timing?: Partial<typeof defaultTiming>;
	/** Members that are not started. */
	readonly down?: readonly string[];
}

const defaultTiming = {
	electionTimeoutMs: 300,
	heartbeatIntervalMs: 30,
	transferTimeoutMs: 1000,
	diskStallMs: 5000,
};

/** Real replicas in this process: real sockets on loopback, real logs in a temporary directory. */
export class LoopbackCluster {
	readonly clusterId = randomUUID();
	readonly nodes: LoopbackNode[] = [];
	readonly #options: LoopbackOptions;
	#directory = "";

	private constructor(options: LoopbackOptions) {
		this.#options = options;
	}

	static async start(
		ids: readonly string[],
		options: LoopbackOptions = {},
	): Promise<LoopbackCluster> {
		const cluster = new LoopbackCluster(options);
		cluster.#directory = await mkdtemp(join(tmpdir(), "raftd-engine-"));
		const ports = await freePorts(ids.length);
		for (const [at, id] of ids.entries())
			cluster.#push(id, ports[at] as number, false);
		const { down = [] } = options;
		const starting = cluster.nodes.filter(({ id }) => !down.includes(id));
		await Promise.all(starting.map((node) => cluster.startNode(node)));
		return cluster;
	}

	#push(id: string, port: number, joins: boolean): LoopbackNode {
		const node: LoopbackNode = {
			id,
			directory: join(this.#directory, id),
			peer: `127.0.0.1:${port}`,
			listen: `127.0.0.1:${port}`,
			incarnation: randomUUID(),
			known: new Map(),
			joins,
			diagnoses: [],
			fatal: [],
			replica: null,
		};
		this.nodes.push(node);
		return node;
	}

	/** A node that waits to be added; it runs. */
	async join(
		id: string,
		own: Partial<ReplicaOptions> = {},
	): Promise<LoopbackNode> {
		const [port] = await freePorts(1);
		const node = this.#push(id, port as number, true);
		await this.startNode(node, own);
		return node;
	}

	/** The disk of a node that is down is another, empty one. */
	async wipe(node: LoopbackNode): Promise<void> {
		await rm(node.directory, { recursive: true, force: true });
		node.incarnation = randomUUID();
		node.known.clear();
	}

	node(id: string): LoopbackNode {
		const node = this.nodes.find((other) => other.id === id);
		if (node === undefined) throw new Error(`there is no ${id}`);
		return node;
	}

	get configuration(): Configuration {
		const address = (node: LoopbackNode) => ({
			peer: node.peer,
			client: node.peer,
			admin: node.peer,
		});
		return {
			voters: this.nodes.filter(({ joins }) => !joins).map(({ id }) => id),
			outgoing: [],
			learners: [],
			addresses: Object.fromEntries(
				this.nodes.map((node) => [node.id, address(node)]),
			),
		};
	}

	async startNode(
		node: LoopbackNode,
		own: Partial<ReplicaOptions> = {},
	): Promise<NodeReplica> {
		const { limits = {}, timing = {} } = this.#options;
		const machine = own.machine ?? this.#options.machine ?? kv;
		node.replica = await startReplica({
			identity: {
				clusterId: this.clusterId,
				nodeId: node.id,
				incarnation: node.incarnation,
				levels: {
					readsFrom: machine.levels.reads[0],
					readsTo: machine.levels.reads[1],
					writes: machine.levels.writes,
				},
			},
			joins: node.joins,
			release: "test",
			initial: this.configuration,
			dataDirectory: node.directory,
			peerListen: node.listen,
			timing: { ...defaultTiming, ...timing },
			limits: { segmentBytes: 1024 * 1024, ...limits },
			machine: machine as Machine,
			incarnations: {
				known: (id) => node.known.get(id) ?? null,
				learn: (id, incarnation) => void node.known.set(id, incarnation),
			},
			diagnose: (level, message, fields) =>
				node.diagnoses.push({ level, message, fields }),
			onFatal: (error) => node.fatal.push(error),
			...own,
		});
		return node.replica;
	}

	async stopNode(node: LoopbackNode): Promise<void> {
		const { replica } = node;
		node.replica = null;
		await replica?.close();
	}

	get running(): NodeReplica[] {
		return this.nodes.flatMap(({ replica }) => replica ?? []);
	}

	/** The leader that all running nodes agree on, linked with all of them, and in step with them. */
	async leader(): Promise<{ id: string; replica: NodeReplica }> {
		return until("a leader", () => {
			const { running } = this;
			const [first] = running.map((replica) => replica.status().raft.leader);
			const agreed = running.every((replica) => {
				const { raft, connectedPeers } = replica.status();
				return (
					raft.leader === first && connectedPeers.length === running.length - 1
				);
			});
			const node = this.nodes.find(({ id }) => id === first);
			if (!agreed || !node?.replica) return null;
			const { followers } = node.replica.status().raft;
			const inStep = followers.filter(({ state }) => state === "replicate");
			return inStep.length >= running.length - 1
				? { id: node.id, replica: node.replica }
				: null;
		});
	}

	/** Whoever leads, as soon as the others that run and are members follow; nobody need be in step. */
	async leading(): Promise<{ id: string; replica: NodeReplica }> {
		return until("somebody who leads", () => {
			const found = this.nodes.find(
				({ replica }) => replica?.status().raft.role === "leader",
			);
			if (!found?.replica) return null;
			const { term, configuration } = found.replica.status().raft;
			const agreed = this.nodes.every(({ id, replica }) => {
				if (!replica || !membersOf(configuration).includes(id)) return true;
				const { raft } = replica.status();
				return raft.term === term && raft.leader === found.id;
			});
			return agreed ? { id: found.id, replica: found.replica } : null;
		});
	}

	async followers(): Promise<NodeReplica[]> {
		const { replica } = await this.leader();
		return this.running.filter((other) => other !== replica);
	}

	async close(): Promise<void> {
		await Promise.all(this.nodes.map((node) => this.stopNode(node)));
		await rm(this.#directory, { recursive: true, force: true });
	}
}

export function put(
	replica: NodeReplica,
	key: string,
	value: string,
	options: { ack?: "none" | "commit" | "apply"; deadlineMs?: number } = {},
): Promise<CommandOutcome> {
	const { ack = "apply", deadlineMs = 20_000 } = options;
	const command = kv.json?.command({ op: "put", key, value }, 1) as Uint8Array;
	return new Promise((resolve) =>
		replica.propose(command, { ack, deadlineMs, client: "test" }, resolve),
	);
}

export function get(
	replica: NodeReplica,
	key: string,
	options: {
		consistency?: "linearizable" | "lease" | "stale";
		minIndex?: number;
		deadlineMs?: number;
	} = {},
): Promise<QueryOutcome> {
	const { consistency = "linearizable", minIndex = 0 } = options;
	const { deadlineMs = 20_000 } = options;
	const query = kv.json?.query({ op: "get", key }) as Uint8Array;
	return new Promise((resolve) =>
		replica.query(query, { consistency, minIndex, deadlineMs }, resolve),
	);
}

/** The value in an answer to `get`; undefined when there is none. */
export function valueIn(outcome: QueryOutcome): unknown {
	if (outcome.kind !== "answer") throw new Error(JSON.stringify(outcome));
	const answer = kv.json?.answer(outcome.answer) as { value?: string };
	return answer.value;
}

/** Asks again until there is an answer; the test's own limit ends it. */
export async function until<T>(
	what: string,
	ask: () =>
		| T
		| null
		| false
		| undefined
		| Promise<T | null | false | undefined>,
): Promise<T> {
	const deadlineMs = performance.now() + 30_000;
	for (;;) {
		const answer = await ask();
		if (answer) return answer;
		if (performance.now() > deadlineMs) throw new Error(`no ${what} in 30 s`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

export async function freePorts(count: number): Promise<number[]> {
	const servers = await Promise.all(
		Array.from(
			{ length: count },
			() =>
				new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
					const server = createServer();
					server.once("error", reject);
					server.listen(0, "127.0.0.1", () => resolve(server));
				}),
		),
	);
	const ports = servers.map(
		(server) => (server.address() as { port: number }).port,
	);
	await Promise.all(
		servers.map((server) => new Promise((resolve) => server.close(resolve))),
	);
	return ports;
}
