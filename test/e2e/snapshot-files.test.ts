import {
	cpSync,
	existsSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	connectRaft,
	EventsGoneError,
	type RaftClient,
} from "../../src/client/index.js";
import { encodeCommand } from "../../src/machines/kv/codec.js";
import { raftdGround } from "../daemon/raftd-ground.js";
import {
	adminCall,
	ask,
	type NodeFile,
	place,
	Raftd,
	writeCluster,
	writeNode,
} from "../daemon/raftd-process.js";
import { eventually } from "./local-cluster.js";
import { isReady, leaderOf, statusOf } from "./real-nodes.js";

const ground = raftdGround();
const clients: RaftClient[] = [];
let load: Load | null = null;

beforeEach(() => {
	load = null;
});
afterEach(async () => {
	await load?.stop();
	await Promise.all(clients.splice(0).map((client) => client.close()));
});

const quick = {
	timing: { electionTimeoutMs: 1000, heartbeatIntervalMs: 100 },
	limits: { segmentBytes: 65_536 },
};

const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

interface ToolRun<Report> {
	readonly code: number | null;
	readonly report: Report;
}

/** A command of raftd that needs no node. */
async function tool<Report = Record<string, unknown>>(
	...argv: string[]
): Promise<ToolRun<Report>> {
	const { code, stdout, stderr } = await new Raftd([...argv, "--json"]).ended;
	if (stdout === "") throw new Error(`raftd ${argv.join(" ")}: ${stderr}`);
	return { code, report: JSON.parse(stdout) };
}

function connect(nodes: readonly NodeFile[], exactlyOnce = false): RaftClient {
	const client = connectRaft({
		endpoints: nodes.map((node) => node.client),
		...{ exactlyOnce, timeoutMs: 30_000 },
	});
	clients.push(client);
	return client;
}

/** Writers of keys of their own; it knows what was acknowledged. */
class Load {
	readonly acknowledged: string[] = [];
	highestIndex = 0;
	readonly #writers: Promise<void>[];
	#over = false;

	constructor(nodes: readonly NodeFile[], writers = 8) {
		this.#writers = Array.from({ length: writers }, (_, at) =>
			this.#write(nodes, at),
		);
	}

	async stop(): Promise<void> {
		this.#over = true;
		await Promise.all(this.#writers);
	}

	async #write(nodes: readonly NodeFile[], writer: number): Promise<void> {
		for (let n = 0; !this.#over; n++) {
			const key = `${writer}-${n}`;
			const node = nodes[n % nodes.length] as NodeFile;
			const value = key.repeat(50);
			const answer = await ask(node, "command", {
				op: "put",
				key,
				value,
			}).catch(() => null);
			if (answer === null) await pause(20);
			if (answer?.status !== 200) continue;
			this.acknowledged.push(key);
			const index = Number(answer.body.index);
			this.highestIndex = Math.max(this.highestIndex, index);
		}
	}
}

async function missing(
	node: NodeFile,
	keys: readonly string[],
): Promise<string[]> {
	const lost: string[] = [];
	for (let at = 0; at < keys.length; at += 64)
		await Promise.all(
			keys.slice(at, at + 64).map(async (key) => {
				const { body } = await ask(node, "query", { op: "get", key });
				const { value } = (body.answer ?? {}) as { value?: string };
				if (value !== key.repeat(50)) lost.push(key);
			}),
		);
	return lost;
}

async function startAll(nodes: readonly NodeFile[]): Promise<Raftd[]> {
	const running = nodes.map((node) => ground.start(node));
	await Promise.all(
		running.map((raftd, at) =>
			raftd.until(() => isReady(nodes[at] as NodeFile)),
		),
	);
	return running;
}

/** Part of a snapshot's file, and the connection cut after so many bytes of it. */
function cutDownload(
	node: NodeFile,
	index: string,
	headers: Record<string, string>,
	atMost: number,
): Promise<{ bytes: Buffer; status: number; etag: string; ofBytes: number }> {
	return new Promise((resolve, reject) => {
		const url = `http://${node.admin}/snapshots/${index}`;
		const request = http.get(url, { agent: false, headers }, (response) => {
			const chunks: Buffer[] = [];
			let got = 0;
			const end = () => {
				const { statusCode: status = 0 } = response;
				const { etag = "", ...sizes } = response.headers;
				const ofBytes = Number(
					sizes["content-range"]?.split("/")[1] ?? sizes["content-length"],
				);
				resolve({ bytes: Buffer.concat(chunks), status, etag, ofBytes });
			};
			response.on("data", (chunk: Buffer) => {
				chunks.push(chunk);
				got += chunk.length;
				if (got < atMost) return;
				end();
				response.destroy();
			});
			response.once("end", end);
			response.on("error", () => {});
		});
		request.once("error", reject);
	});
}

describe("a snapshot that is saved from a node under load", () => {
	it("is the node's file byte for byte, however often the connection is cut", async () => {
		const nodes = await writeCluster(
			ground.directory,
			["n1", "n2", "n3"],
			quick,
		);
		await startAll(nodes);
		load = new Load(nodes);
		const running = load;
		await eventually(async () => running.acknowledged.length > 600, "writes");
		const leader = await leaderOf(nodes);
		const { index } = await adminCall(leader, "TakeSnapshot");
		const before = load.acknowledged.length;
		const parts: Buffer[] = [];
		let etag = "";
		for (let have = 0; ; ) {
			const part = await cutDownload(
				...([leader, String(index)] as const),
				have === 0 ? {} : { range: `bytes=${have}-`, "if-range": etag },
				70_000,
			);
			expect(part.status).toBe(have === 0 ? 200 : 206);
			etag ||= part.etag;
			expect(part.etag).toBe(etag);
			parts.push(part.bytes);
			have += part.bytes.length;
			// Not told by a short part: the last one may be as long as the others.
			if (have >= part.ofBytes) break;
		}
		expect(parts.length).toBeGreaterThan(2);
		await eventually(
			async () => running.acknowledged.length > before,
			"writes to go on",
		);
		const id = etag.slice(1, -1);
		const directory = join(leader.data, "snapshots");
		const name = readdirSync(directory).find((each) => each.includes(id));
		const saved = join(ground.directory, "saved.snapshot");
		writeFileSync(saved, Buffer.concat(parts));
		expect(
			readFileSync(saved).equals(readFileSync(join(directory, String(name)))),
		).toBe(true);
		const { code, report } = await tool("snapshot", "verify", saved);
		expect(code).toBe(0);
		expect(report).toMatchObject({
			...{ ok: true, drill: { matchesFile: true } },
			manifest: { index: Number(index), clusterId: "c-test" },
		});
	});
});

const put = (key: string) => encodeCommand({ op: "put", key, value: "v" });

/** A file of a cluster with writes, the nodes of that cluster, stopped, and a client and a subscriber that saw more. */
async function oldCluster(file: string) {
	const nodes = await writeCluster(ground.directory, ["n1", "n2", "n3"], quick);
	const running = await startAll(nodes);
	const client = connect(nodes, true);
	const ends: unknown[] = [];
	const subscription = client.subscribe({
		...{ from: 1, onEvent() {} },
		onEnd: (error) => void ends.push(error),
	});
	await client.command(put("of a session"));
	load = new Load(nodes);
	const current = load;
	await eventually(async () => current.acknowledged.length > 300, "writes");
	await load.stop();
	const kept = [...load.acknowledged];
	const leader = await leaderOf(nodes);
	const { index } = await adminCall(leader, "TakeSnapshot");
	const response = await fetch(`http://${leader.admin}/snapshots/${index}`);
	writeFileSync(file, Buffer.from(await response.arrayBuffer()));
	// Lost with the old cluster, and its clients have seen it.
	const late = await ask(leader, "command", {
		...{ op: "put", key: "late", value: "seen" },
	});
	await eventually(
		async () => subscription.next > Number(late.body.index),
		"the subscriber to see it",
	);
	const { term } = await statusOf(leader);
	await Promise.all(running.map((raftd) => raftd.destroy()));
	return { nodes, client, subscription, ends, kept, term, late: late.body };
}

describe("a cluster that is restored from one file", () => {
	it("has the same data further on, elects, and old clients and nodes notice (P63)", async () => {
		const file = join(ground.directory, "saved.snapshot");
		const old = await oldCluster(file);
		const { nodes } = old;
		const [one, two, three] = nodes as [NodeFile, NodeFile, NodeFile];
		// At the addresses of two old nodes, so that clients and the third old one come by; the third is elsewhere.
		const fresh = (node: NodeFile): NodeFile => ({
			...node,
			path: `${node.path}.new`,
			data: `${node.data}-new`,
		});
		const elsewhere = await place(join(ground.directory, "new"), "n3");
		const restored = [fresh(one), fresh(two), elsewhere];
		for (const node of restored)
			writeNode(node, restored, {
				...quick,
				cluster: { id: "c-restored", name: "test" },
			});
		const contents = new Set<string>();
		for (const node of restored) {
			const { code, report } = await tool<{ sha256: string; index: number }>(
				...["snapshot", "restore", file, "--config", node.path],
			);
			expect(code).toBe(0);
			expect(report.index).toBeGreaterThan(1_000_000);
			contents.add(report.sha256);
		}
		expect(contents.size).toBe(1);
		await startAll(restored);
		const leader = await leaderOf(restored);
		for (const node of restored)
			expect(await missing(node, old.kept), node.id).toEqual([]);
		const gone = await ask(leader, "query", { op: "get", key: "late" });
		expect(gone.body.answer).toMatchObject({ found: false });
		const after = await ask(leader, "command", {
			...{ op: "put", key: "after", value: "new" },
		});
		expect(Number(after.body.index)).toBeGreaterThan(1_000_000);
		// The subscriber that had seen what is gone is told, instead of what came later.
		await eventually(async () => old.ends.length > 0, "the subscriber's end");
		expect(old.ends[0]).toBeInstanceOf(EventsGoneError);
		// Its session went with the old cluster; nothing of it was in doubt, so that it goes on with another.
		const { index } = await old.client.command(put("of another"));
		expect(index).toBeGreaterThan(1_000_000);
		// An old node finds nobody who belongs to it.
		const { term } = await statusOf(leader);
		const stray = ground.start(three);
		await stray.until(() =>
			stray.log().some((line) => JSON.stringify(line).includes("cluster")),
		);
		await pause(3000);
		expect((await statusOf(three)).role).not.toBe("leader");
		expect((await statusOf(three)).connectedPeers ?? []).toEqual([]);
		expect((await statusOf(leader)).term).toBe(term);
		// All know each other's incarnation by now, and nobody fetched a snapshot.
		for (const node of restored) {
			await eventually(async () => {
				const { configuration } = await statusOf(node);
				const members = configuration?.members ?? [];
				return (
					members.length === 3 &&
					members.every(({ incarnation = "" }) => incarnation !== "")
				);
			}, `the incarnations on ${node.id}`);
			const metrics = await (
				await fetch(`http://${node.admin}/metrics`)
			).text();
			expect(metrics).toContain('raftd_snapshots_total{outcome="installed"} 0');
		}
	}, 120_000);
});

describe("what is left of a cluster whose nodes were all killed", () => {
	it("has every acknowledged write, once the best of it is exported", async () => {
		const nodes = await writeCluster(ground.directory, ["n1", "n2", "n3"], {
			...quick,
			limits: { ...quick.limits, snapshotEntries: 300 },
		});
		const running = await startAll(nodes);
		load = new Load(nodes);
		const current = load;
		await eventually(async () => current.acknowledged.length > 800, "writes");
		for (const raftd of running) raftd.kill("SIGKILL");
		await Promise.all(running.map((raftd) => raftd.ended));
		await load.stop();
		interface Inspected {
			readonly verdict: string;
			readonly holds: { lastTerm: number; lastIndex: number };
		}
		// Any two of three are a quorum: the better of each two has everything.
		for (const dead of nodes) {
			const left = nodes.filter((node) => node !== dead);
			const copies = left.map((node) => {
				const copy = `${node.data}-without-${dead.id}`;
				cpSync(node.data, copy, { recursive: true });
				return copy;
			});
			const seen = [];
			for (const copy of copies) {
				const { report } = await tool<Inspected>("inspect", "--data-dir", copy);
				expect(["healthy", "repairable"]).toContain(report.verdict);
				seen.push({ copy, ...report.holds });
			}
			seen.sort((a, b) => b.lastTerm - a.lastTerm || b.lastIndex - a.lastIndex);
			const file = join(ground.directory, `without-${dead.id}.snapshot`);
			const best = seen[0]?.copy ?? "";
			const { code, report } = await tool<{ manifest: { index: number } }>(
				...["snapshot", "export", "--data-dir", best, "--out", file],
			);
			expect(code).toBe(0);
			expect(report.manifest.index).toBe(seen[0]?.lastIndex);
			const sole = await place(join(ground.directory, dead.id), "sole");
			writeNode(sole, [sole], {
				...quick,
				cluster: { id: `c-${dead.id}`, name: "recovered" },
			});
			const made = await tool(
				"snapshot",
				"restore",
				file,
				"--config",
				sole.path,
			);
			expect(made.code).toBe(0);
			const raftd = await ground.startReady(sole);
			expect(await missing(sole, current.acknowledged)).toEqual([]);
			await raftd.destroy();
		}
	}, 120_000);
});

describe("a restore that is killed", () => {
	it("leaves no data directory or a whole one, and the next try succeeds", async () => {
		const [source] = await writeCluster(ground.directory, ["n1"], quick);
		const node = source as NodeFile;
		const raftd = await ground.startReady(node);
		const value = "x".repeat(20_000);
		for (let at = 0; at < 400; at += 20)
			await Promise.all(
				Array.from({ length: 20 }, (_, more) =>
					ask(node, "command", { op: "put", key: `${at + more}`, value }),
				),
			);
		await raftd.destroy();
		const file = join(ground.directory, "saved.snapshot");
		await tool("snapshot", "export", "--data-dir", node.data, "--out", file);
		const target = await place(join(ground.directory, "target"), "n1");
		writeNode(target, [target], {
			...quick,
			cluster: { id: "c-new", name: "new" },
		});
		const argv = ["snapshot", "restore", file, "--config", target.path];
		const sinceMs = performance.now();
		expect((await tool(...argv)).code).toBe(0);
		const wholeMs = performance.now() - sinceMs;
		rmSync(target.data, { recursive: true });
		const seen = { nothing: 0, half: 0, whole: 0 };
		for (let kills = 0; kills < 16; kills++) {
			const killed = new Raftd(argv);
			if (kills % 4 === 0)
				await killed.until(() => existsSync(`${target.data}.restoring`));
			// More of them towards the end, where files are made.
			else await pause(wholeMs * Math.sqrt(Math.random()) * 1.1);
			killed.kill("SIGKILL");
			await killed.ended;
			if (existsSync(`${target.data}.restoring`)) seen.half++;
			if (!existsSync(target.data)) {
				seen.nothing++;
				continue;
			}
			seen.whole++;
			const { code } = await tool("doctor", "--data-dir", target.data);
			expect(code).toBe(0);
			rmSync(target.data, { recursive: true });
		}
		expect(seen.nothing).toBeGreaterThan(0);
		expect(seen.half).toBeGreaterThan(0);
		expect((await tool(...argv)).code).toBe(0);
		expect(existsSync(`${target.data}.restoring`)).toBe(false);
		const { report } = await tool<{ verdict: string }>(
			...["doctor", "--data-dir", target.data],
		);
		expect(report.verdict).toBe("healthy");
	}, 120_000);
});
