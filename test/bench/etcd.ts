import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../daemon/free-port.js";
import { until } from "./nodes.js";
import { type Load, type Row, rowsOf } from "./systems.js";

const root = resolve(import.meta.dirname, "../..");
const source = join(root, "test/bench/peer/etcdload/main.go");
const goPath = "/usr/share/gocode";

/** One etcd server: a data directory, and a process that can be started again. */
export class EtcdNode {
	readonly id: string;
	readonly client: string;
	readonly #argv: readonly string[];
	#child: ChildProcess | null = null;

	constructor(id: string, client: string, argv: readonly string[]) {
		this.id = id;
		this.client = client;
		this.#argv = argv;
	}

	get pid(): number {
		const pid = this.#child?.pid;
		if (pid === undefined) throw new Error(`${this.id} does not run`);
		return pid;
	}

	start(): void {
		const child = spawn("etcd", this.#argv, { stdio: "ignore" });
		const kill = () => child.kill("SIGKILL");
		process.once("exit", kill);
		child.once("exit", () => {
			process.off("exit", kill);
			this.#child = null;
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

	/** It knows a leader, and a linearizable read goes through it: etcd's own word. */
	async isReady(): Promise<boolean> {
		try {
			const answer = await fetch(`http://${this.client}/health`, {
				signal: AbortSignal.timeout(1000),
			});
			return ((await answer.json()) as { health?: string }).health === "true";
		} catch {
			return false;
		}
	}

	async isLeader(): Promise<boolean> {
		const answer = await fetch(`http://${this.client}/v3/maintenance/status`, {
			method: "POST",
			body: "{}",
		});
		const { leader, header } = (await answer.json()) as {
			readonly leader?: string;
			readonly header?: { readonly member_id?: string };
		};
		return leader !== undefined && leader === header?.member_id;
	}
}

/** Three real etcd servers on loopback, with the defaults of the release but for `flags`. */
export class EtcdCluster {
	readonly nodes: readonly EtcdNode[];

	static async with<T>(
		flags: readonly string[],
		use: (cluster: EtcdCluster) => Promise<T>,
	): Promise<T> {
		const directory = mkdtempSync(join(tmpdir(), "raftctl-bench-etcd-"));
		const cluster = new EtcdCluster(await nodesIn(directory, flags));
		try {
			for (const node of cluster.nodes) node.start();
			for (const node of cluster.nodes)
				await until(`${node.id} ready`, async () =>
					(await node.isReady()) ? true : null,
				);
			return await use(cluster);
		} finally {
			await Promise.all(cluster.nodes.map((node) => node.stop("SIGKILL")));
			rmSync(directory, { recursive: true, force: true });
		}
	}

	private constructor(nodes: readonly EtcdNode[]) {
		this.nodes = nodes;
	}

	async leader(): Promise<EtcdNode> {
		return await until("a leader", async () => {
			for (const node of this.nodes) if (await node.isLeader()) return node;
			return null;
		});
	}

	/** etcd's own Go client, one row for each number of clients. `total`: then each ends after so many. */
	async load(
		{ clients, seconds, bytes, keys, reads = false }: Load,
		total = 0,
	): Promise<Row[]> {
		const endpoints = this.nodes.map(({ client }) => client);
		return await rowsOf([
			...[loadProgram(), "-endpoints", endpoints.join(",")],
			...["-clients", clients.join(","), "-duration", `${seconds}s`],
			...["-bytes", `${bytes}`, "-total", `${total}`],
			...(keys === undefined ? [] : ["-keys", `${keys}`]),
			...(reads ? ["-reads"] : []),
		]);
	}
}

async function nodesIn(
	directory: string,
	flags: readonly string[],
): Promise<EtcdNode[]> {
	const places: { id: string; client: string; peer: string }[] = [];
	for (const id of ["e1", "e2", "e3"])
		places.push({
			id,
			client: `127.0.0.1:${await freePort()}`,
			peer: `http://127.0.0.1:${await freePort()}`,
		});
	const members = places.map(({ id, peer }) => `${id}=${peer}`).join(",");
	return places.map(({ id, client, peer }) => {
		const url = `http://${client}`;
		return new EtcdNode(id, client, [
			...["--name", id, "--data-dir", join(directory, id)],
			...["--listen-client-urls", url, "--advertise-client-urls", url],
			...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
			...["--initial-cluster", members, "--initial-cluster-state", "new"],
			...["--logger=zap", "--log-level=error", ...flags],
		]);
	});
}

let program: string | null = null;

/** Built once a run, of Debian's packages. */
function loadProgram(): string {
	if (program !== null) return program;
	const directory = join(root, "node_modules/.cache/raftctl-bench");
	mkdirSync(directory, { recursive: true });
	const built = join(directory, "etcdload");
	const { status, stderr } = spawnSync("go", ["build", "-o", built, source], {
		encoding: "utf8",
		env: {
			GOCACHE: join(homedir(), ".cache/go-build"),
			...{ ...process.env, GO111MODULE: "off", GOPATH: goPath },
		},
	});
	if (status !== 0) throw new Error(`etcdload cannot be built:\n${stderr}`);
	program = built;
	return built;
}
