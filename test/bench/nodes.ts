import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
	closeSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { freePort } from "../daemon/free-port.js";
import { adminCall, type NodeStatus, statusOf } from "../torture/admin.js";
import { bundle } from "./bundle.js";
import type { ProbeReport } from "./probe.js";

const raftd = resolve(import.meta.dirname, "../../dist/src/daemon/main.js");
const pollMs = 10;
const startLimitMs = 120_000;
const snapshotLimitMs = 600_000;

export interface NodeAddresses {
	readonly id: string;
	readonly peer: string;
	readonly client: string;
	readonly admin: string;
}

interface ClusterOptions {
	readonly limits?: Readonly<Record<string, number>>;
	/** Writes a CPU profile of every process into it when it ends. */
	readonly profile?: string | undefined;
	/** For `BenchNode.probe`; it costs each node some hundredths of a core. Default false. */
	readonly probed?: boolean;
}

/** One raftd: a data directory, and a process that can be started again. */
export class BenchNode {
	readonly addresses: NodeAddresses;
	readonly directory: string;
	#child: ChildProcess | null = null;

	constructor(addresses: NodeAddresses, directory: string) {
		this.addresses = addresses;
		this.directory = directory;
	}

	get id(): string {
		return this.addresses.id;
	}

	get data(): string {
		return join(this.directory, "data");
	}

	get pid(): number {
		const pid = this.#child?.pid;
		if (pid === undefined) throw new Error(`${this.id} does not run`);
		return pid;
	}

	start(argv: readonly string[]): void {
		const log = openSync(join(this.directory, "log"), "a");
		const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
		const child = spawn(
			process.execPath,
			[...argv, raftd, "--config", join(this.directory, "node.yaml")],
			{ env, stdio: ["ignore", log, log, "ipc"] },
		);
		closeSync(log);
		const kill = () => child.kill("SIGKILL");
		process.once("exit", kill);
		child.once("exit", (code, signal) => {
			process.off("exit", kill);
			this.#child = null;
			if (code !== 0 && signal === null)
				process.stderr.write(`${this.id} ended with ${code}: ${this.log()}\n`);
		});
		this.#child = child;
	}

	async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
		const child = this.#child;
		if (child === null) return;
		const ended = once(child, "exit");
		child.kill(signal);
		await ended;
	}

	/** Since the last call. */
	async probe(): Promise<ProbeReport> {
		const child = this.#child;
		if (child === null) throw new Error(`${this.id} does not run`);
		const said = once(child, "message");
		child.send("report");
		const [report] = await said;
		return report as ProbeReport;
	}

	async status(): Promise<NodeStatus | null> {
		return await statusOf(this.addresses.admin);
	}

	async isReady(): Promise<boolean> {
		try {
			const url = `http://${this.addresses.admin}/readyz`;
			const { status } = await fetch(url, {
				signal: AbortSignal.timeout(1000),
			});
			return status === 200;
		} catch {
			return false;
		}
	}

	/** One number of `/metrics`, by its name and labels as they stand there. */
	async metric(name: string): Promise<number> {
		const answer = await fetch(`http://${this.addresses.admin}/metrics`);
		const line = (await answer.text())
			.split("\n")
			.find((one) => one.startsWith(`${name} `));
		return Number(line?.slice(name.length + 1));
	}

	async takeSnapshot(): Promise<number> {
		const { admin } = this.addresses;
		const said = await adminCall(admin, "TakeSnapshot", {}, snapshotLimitMs);
		return Number((said as { index?: string }).index);
	}

	log(): string {
		return readFileSync(join(this.directory, "log"), "utf8");
	}
}

/** Real raftd processes on loopback. */
export class BenchCluster {
	readonly directory: string;
	readonly #options: ClusterOptions;
	readonly #probe: string;
	readonly nodes: BenchNode[] = [];
	readonly #founders: NodeAddresses[] = [];

	/** Founds a cluster, hands it to `use`, and removes it with all that it left. */
	static async with<T>(
		size: number,
		options: ClusterOptions,
		use: (cluster: BenchCluster) => Promise<T>,
	): Promise<T> {
		const cluster = new BenchCluster(options, await bundle("probe"));
		try {
			for (let at = 1; at <= size; at++)
				cluster.#founders.push(await cluster.#addresses(`n${at}`));
			for (const addresses of cluster.#founders)
				cluster.#add(addresses, cluster.#founders, false);
			for (const node of cluster.nodes) cluster.start(node);
			await cluster.settled();
			return await use(cluster);
		} finally {
			const signal = options.profile === undefined ? "SIGKILL" : "SIGTERM";
			await Promise.all(cluster.nodes.map((node) => node.stop(signal)));
			rmSync(cluster.directory, { recursive: true, force: true });
		}
	}

	private constructor(options: ClusterOptions, probe: string) {
		this.directory = mkdtempSync(join(tmpdir(), "raftctl-bench-"));
		this.#options = options;
		this.#probe = probe;
	}

	start(node: BenchNode): void {
		const { profile, probed = false } = this.#options;
		node.start([
			...(probed ? ["--import", this.#probe] : []),
			...(profile === undefined
				? []
				: ["--cpu-prof", `--cpu-prof-dir=${profile}`]),
		]);
	}

	/**
	 * One more member, with nothing on its disk: a learner. Started, and added where `leader` leads. `peerOf` says where it
	 * reaches the others, for as long as it knows them from its configuration only.
	 */
	async join(
		id: string,
		leader: BenchNode,
		peerOf: (member: NodeAddresses) => string = ({ peer }) => peer,
	): Promise<BenchNode> {
		const addresses = await this.#addresses(id);
		const others = this.#founders.map((one) => ({ ...one, peer: peerOf(one) }));
		const node = this.#add(addresses, [...others, addresses], true);
		this.start(node);
		const status = await until(`${id} answers`, () => node.status());
		const { peer, client, admin } = addresses;
		await adminCall(leader.addresses.admin, "ChangeMembership", {
			changes: [
				{
					...{ id, type: "add", incarnation: status.incarnation },
					...{ peerAddress: peer, clientAddress: client, adminAddress: admin },
				},
			],
		});
		return node;
	}

	/** Takes a member out again, and stops it. */
	async remove(node: BenchNode, leader: BenchNode): Promise<void> {
		await adminCall(leader.addresses.admin, "ChangeMembership", {
			changes: [{ id: node.id, type: "remove" }],
		});
		await node.stop("SIGKILL");
		rmSync(node.directory, { recursive: true, force: true });
	}

	async leader(): Promise<BenchNode> {
		return await until("a leader", async () => {
			for (const node of this.nodes)
				if ((await node.status())?.role === "leader") return node;
			return null;
		});
	}

	/** Every node is ready. */
	async settled(): Promise<void> {
		for (const node of this.nodes)
			await until(`${node.id} ready`, async () =>
				(await node.isReady()) ? true : null,
			);
	}

	async #addresses(id: string): Promise<NodeAddresses> {
		const address = async () => `127.0.0.1:${await freePort()}`;
		return {
			...{ id, peer: await address() },
			...{ client: await address(), admin: await address() },
		};
	}

	#add(
		addresses: NodeAddresses,
		members: readonly NodeAddresses[],
		joins: boolean,
	): BenchNode {
		const { id, peer, client, admin } = addresses;
		const node = new BenchNode(addresses, join(this.directory, id));
		mkdirSync(node.directory, { recursive: true });
		writeFileSync(
			join(node.directory, "node.yaml"),
			stringify({
				cluster: { id: "c-bench", name: "bench" },
				...{ node: id, data: node.data, join: joins },
				listen: { peer, client, admin },
				members: members.map((member) => ({
					...{ id: member.id, role: "voter", peer: member.peer },
					...{ client: member.client, admin: member.admin },
				})),
				limits: this.#options.limits ?? {},
			}),
		);
		this.nodes.push(node);
		return node;
	}
}

/** Asks until there is an answer. Throws after two minutes. */
export async function until<T>(
	what: string,
	ask: () => Promise<T | null> | T | null,
): Promise<T> {
	const endMs = performance.now() + startLimitMs;
	for (;;) {
		const answer = await ask();
		if (answer !== null) return answer;
		if (performance.now() > endMs) throw new Error(`${what}: not in time`);
		await new Promise((wake) => setTimeout(wake, pollMs));
	}
}
