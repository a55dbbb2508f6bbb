import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { freePort } from "../daemon/free-port.js";
import { type NodeStatus, statusOf } from "./admin.js";
import { LinkProxy } from "./link-proxy.js";
import { Network } from "./network.js";
import { type Launch, NodeProcess, type Place } from "./node-process.js";

export const electionTimeoutMs = 500;
const heartbeatIntervalMs = 50;
const startLimitMs = 60_000;
/** Snapshots often, and so short a log that whoever was away needs one. */
const limits = {
	snapshotEntries: 300,
	maxLogBytes: 128 * 1024,
	segmentBytes: 128 * 1024,
	windowBytes: 64 * 1024,
};

export interface ClusterOptions {
	/** Of the package: dist/ is there. */
	readonly root: string;
	/** Everything of this run lies below it. */
	readonly directory: string;
	readonly nodes: number;
}

/** Real raftd processes, each in its place, and the network between the places. */
export class Cluster {
	readonly network = new Network();
	readonly places: readonly Place[];
	readonly #proxies: readonly LinkProxy[];
	readonly #options: ClusterOptions;
	readonly #launch: Launch;
	/** Who lives where now, by the name of the place. */
	readonly #nodes = new Map<string, NodeProcess>();
	readonly #former: NodeProcess[] = [];
	readonly #founders = new Set<string>();
	/** Where each id lives or has lived. */
	readonly #placeOf = new Map<string, string>();
	#lastId = 0;

	/** Starts every node of a new cluster; resolves when there is a leader. */
	static async found(options: ClusterOptions): Promise<Cluster> {
		const launch = await prepare(options);
		const places: Place[] = [];
		for (let at = 1; at <= options.nodes; at++) {
			const address = async () => `127.0.0.1:${await freePort()}`;
			places.push({
				name: `p${at}`,
				peer: await address(),
				peerListen: await address(),
				client: await address(),
				admin: await address(),
			});
		}
		const cluster = new Cluster(options, places, launch);
		try {
			await cluster.#open();
		} catch (error) {
			await cluster.close();
			throw error;
		}
		return cluster;
	}

	private constructor(
		options: ClusterOptions,
		places: readonly Place[],
		launch: Launch,
	) {
		this.#options = options;
		this.#launch = launch;
		this.places = places;
		this.#proxies = places.map(
			({ name, peerListen }) =>
				new LinkProxy({
					place: name,
					port: portOf(peerListen),
					network: this.network,
					placeOf: (id) => this.#placeOf.get(id) ?? null,
				}),
		);
	}

	get nodes(): readonly NodeProcess[] {
		return [...this.#nodes.values()];
	}

	get clients(): string[] {
		return this.places.map(({ client }) => client);
	}

	nodeAt(place: Place): NodeProcess {
		return this.#nodes.get(place.name) as NodeProcess;
	}

	node(id: string): NodeProcess | null {
		return this.nodes.find((node) => node.id === id) ?? null;
	}

	/** What the node's configuration says of who takes part at the start. */
	start(node: NodeProcess): void {
		// Its place may have been taken since it was asked for: it is no member then, and has no disk.
		if (this.nodeAt(node.place) !== node) return;
		node.start(this.#members(), !this.#founders.has(node.id));
	}

	/** A member that has never been there takes the place of the one that is there, which is killed and loses its disk. */
	async replace(place: Place): Promise<NodeProcess> {
		const old = this.nodeAt(place);
		await old.kill();
		old.wipe();
		this.#former.push(old);
		const node = this.#settle(place);
		node.isNew = true;
		return node;
	}

	/** Of all nodes that answer. */
	async statuses(): Promise<NodeStatus[]> {
		const all = await Promise.all(
			this.places.map(({ admin }) => statusOf(admin)),
		);
		return all.filter((status) => status !== null);
	}

	/** The leader of the highest term, as it says itself; null when nobody says so. */
	async leader(): Promise<NodeProcess | null> {
		const leaders = (await this.statuses())
			.filter(({ role }) => role === "leader")
			.sort((a, b) => b.term - a.term);
		const [first] = leaders;
		return first === undefined ? null : this.node(first.nodeId);
	}

	/** What ended though nobody ended it, in words. */
	accidents(): string[] {
		return [...this.#former, ...this.nodes].flatMap(
			({ accidents }) => accidents,
		);
	}

	async close(): Promise<void> {
		for (const node of this.nodes) node.thaw();
		await Promise.all(this.nodes.map((node) => node.kill()));
		await Promise.all(this.#proxies.map((proxy) => proxy.close()));
	}

	async #open(): Promise<void> {
		for (const [at, proxy] of this.#proxies.entries())
			await proxy.listen(portOf((this.places[at] as Place).peer));
		for (const place of this.places) this.#founders.add(this.#settle(place).id);
		for (const node of this.nodes) this.start(node);
		const endMs = performance.now() + startLimitMs;
		while ((await this.leader()) === null) {
			if (performance.now() > endMs)
				throw new Error(`no leader after ${startLimitMs} ms`);
			await new Promise((wake) => setTimeout(wake, 50));
		}
	}

	#settle(place: Place): NodeProcess {
		const id = `n${++this.#lastId}`;
		const node = new NodeProcess(id, place, {
			directory: this.#options.directory,
			launch: this.#launch,
		});
		this.#nodes.set(place.name, node);
		this.#placeOf.set(id, place.name);
		return node;
	}

	#members(): object[] {
		return this.nodes.map(({ id, place: { peer, client, admin } }) => ({
			...{ id, role: "voter" },
			...{ peer, client, admin },
		}));
	}
}

/** Copies what is run: whoever builds while this run lasts changes nothing for it. */
async function prepare(options: ClusterOptions): Promise<Launch> {
	const { root, directory } = options;
	mkdirSync(directory, { recursive: true });
	for (const part of ["dist/src", "dist/chunks", "package.json"])
		cpSync(join(root, part), join(directory, part), { recursive: true });
	const machine = join(directory, "machine.mjs");
	await build({
		entryPoints: [join(root, "test/torture/machine.ts")],
		outfile: machine,
		bundle: true,
		platform: "node",
		format: "esm",
		target: "node20",
		logLevel: "error",
	});
	const clock = join(directory, "clock.mjs");
	cpSync(join(root, "test/torture/clock.mjs"), clock);
	return {
		clock,
		program: join(directory, "dist/src/daemon/main.js"),
		machine,
		config: {
			cluster: { id: "c-torture", name: "torture" },
			timing: { electionTimeoutMs, heartbeatIntervalMs },
			limits,
		},
	};
}

function portOf(address: string): number {
	return Number(address.split(":").at(-1));
}
