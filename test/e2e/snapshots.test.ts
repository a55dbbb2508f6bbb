import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectRaft, type RaftClient } from "../../src/client/index.js";
import { RaftdGround } from "../daemon/raftd-ground.js";
import {
	adminCall,
	ask,
	type NodeFile,
	probe,
	type Raftd,
	writeCluster,
} from "../daemon/raftd-process.js";
import { eventually } from "./local-cluster.js";
import { isReady, leaderOf, metric, statusOf } from "./real-nodes.js";

const ground = new RaftdGround();
const running = new Map<string, Raftd>();
const clients: RaftClient[] = [];

beforeEach(() => ground.open());
afterEach(async () => {
	await Promise.all(clients.splice(0).map((client) => client.close()));
	await ground.close();
});

/** Adding twice shows. The ballast makes a snapshot take its time. */
const counter = `const ballast = new Uint8Array(1 << 20).fill(7);
const text = (value) => new TextEncoder().encode(String(value));
export default {
	name: "counter",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ sum: 0 }),
	apply(state, command, { emit }) {
		state.sum += command[0];
		emit(text(state.sum));
		return text(state.sum);
	},
	query: ({ sum }) => text(sum),
	snapshot: ({ sum }) => [ballast.slice(), ballast.slice(), text(sum)],
	restore(chunks) {
		const whole = Buffer.concat([...chunks]);
		return { sum: Number(whole.subarray(2 << 20).toString()) };
	},
};`;

async function cluster(changes: Record<string, unknown>): Promise<NodeFile[]> {
	const nodes = await writeCluster(
		ground.directory,
		["n1", "n2", "n3"],
		changes,
	);
	await Promise.all(nodes.map(start));
	return nodes;
}

async function start(node: NodeFile): Promise<void> {
	const raftd = ground.start(node);
	running.set(node.id, raftd);
	await raftd.until(() => isReady(node));
}

function app(source: string): string {
	const path = join(ground.directory, "app.mjs");
	writeFileSync(path, source);
	return path;
}

function connect(nodes: readonly NodeFile[]): RaftClient {
	const client = connectRaft({
		endpoints: nodes.map((node) => node.client),
		...{ exactlyOnce: true, timeoutMs: 60_000 },
	});
	clients.push(client);
	return client;
}

const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

describe("nodes that are killed while snapshots are taken, fetched and installed", () => {
	it("lose nothing, do nothing twice, and tell subscribers everything once", async () => {
		const nodes = await cluster({
			app: app(counter),
			limits: {
				...{ snapshotEntries: 40, segmentBytes: 65_536 },
				maxSnapshotBytesPerSecond: 3_000_000,
			},
		});
		const client = connect(nodes);
		let over = false;
		let added = 0;
		const writers = Array.from({ length: 4 }, async () => {
			while (!over) {
				await client.command(Uint8Array.of(1));
				added++;
			}
		});
		const told: string[] = [];
		const subscription = client.subscribe({
			from: 1,
			onEvent: (_index, event) => void told.push(`${event}`),
			onEnd() {},
		});
		for (let kills = 0; kills < 8; kills++) {
			const victim = nodes[kills % 3] as NodeFile;
			await pause(Math.random() * 700);
			const raftd = running.get(victim.id) as Raftd;
			raftd.kill("SIGKILL");
			await raftd.ended;
			// Long enough for the others to leave it behind, at times.
			await pause(Math.random() * 900);
			await start(victim);
		}
		over = true;
		await Promise.all(writers);
		expect(added).toBeGreaterThan(200);
		for (const node of nodes) {
			const own = connect([node]);
			const { result } = await own.query(new Uint8Array());
			expect(Number(Buffer.from(result).toString()), node.id).toBe(added);
			const { firstIndex, snapshotIndex } = await statusOf(node);
			expect(Number(firstIndex)).toBeGreaterThan(1);
			expect(Number(snapshotIndex)).toBeGreaterThan(1);
		}
		await eventually(async () => told.length >= added, "every event");
		const sums = Array.from({ length: added }, (_, at) => `${at + 1}`);
		expect(told).toEqual(sums);
		await subscription.close();
		const { alarms = [] } = await statusOf(await leaderOf(nodes));
		expect(alarms).toEqual([]);
	}, 120_000);
});

/** What a node says of `key`, and how old that is at most. */
async function read(node: NodeFile, consistency: string) {
	const response = await fetch(
		`http://${node.client}/v1/query?consistency=${consistency}&timeout-ms=8000`,
		{
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({ op: "get", key: "k" }),
		},
	);
	const body = (await response.json()) as { answer?: { value?: string } };
	return {
		status: response.status,
		value: body.answer?.value,
		ageMs: Number(response.headers.get("raftd-age-ms")),
	};
}

describe("a process that stood still", () => {
	const put = (node: NodeFile, value: string) =>
		ask(node, "command", { op: "put", key: "k", value });

	/** Writes a new value while `frozen` stands still, with questions in its sockets; then lets it go on. */
	async function overtaken(nodes: readonly NodeFile[], frozen: NodeFile) {
		const raftd = running.get(frozen.id) as Raftd;
		const others = nodes.filter((node) => node !== frozen);
		raftd.kill("SIGSTOP");
		const questions = ["lease", "linearizable", "stale"].flatMap((kind) =>
			Array.from({ length: 8 }, async () => ({
				kind,
				...(await read(frozen, kind)),
			})),
		);
		await eventually(async () => {
			const leader = await leaderOf(others);
			return (await put(leader, "new")).status === 200;
		}, "a write through another leader");
		const writtenMs = performance.now();
		await pause(1200);
		raftd.kill("SIGCONT");
		const answers = await Promise.all(questions);
		return { answers, sinceMs: writtenMs, answeredMs: performance.now() };
	}

	it("as the leader answers no read with what was before, and says how old a stale one is (P43)", async () => {
		const nodes = await cluster({});
		const leader = await leaderOf(nodes);
		await put(leader, "old");
		expect(await read(leader, "lease")).toMatchObject({ value: "old" });
		expect(await metric(leader, "raftd_lease_reads_total")).toBeGreaterThan(0);
		const { answers } = await overtaken(nodes, leader);
		for (const { kind, status, value, ageMs } of answers) {
			if (kind !== "stale") expect(status === 200 && value).not.toBe("old");
			// It was overtaken at least so long ago when it answered.
			else if (value === "old") expect(ageMs).toBeGreaterThanOrEqual(1200);
		}
	});

	// A fresh heartbeat may overtake the question; then the answer is rightly young, and it is asked once more.
	it("as a follower says how old its stale answers are, though old heartbeats wait in its sockets", {
		retry: 4,
	}, async () => {
		const nodes = await cluster({});
		const leader = await leaderOf(nodes);
		await put(leader, "old");
		const follower = nodes.find((node) => node !== leader) as NodeFile;
		await eventually(
			async () => (await read(follower, "stale")).value === "old",
			"the old value",
		);
		const { answers } = await overtaken(nodes, follower);
		for (const { kind, status, value, ageMs } of answers) {
			if (kind !== "stale") expect(status === 200 && value).not.toBe("old");
			else if (value === "old") expect(ageMs).toBeGreaterThanOrEqual(1200);
		}
	});
});

describe("a machine that is not deterministic (P60)", () => {
	it("is found out on every node; those that differ leave the balancer until somebody has seen to it", async () => {
		const erratic = `const text = (value) => new TextEncoder().encode(JSON.stringify(value));
export default {
	name: "erratic",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ sum: 0 }),
	apply: (state) => text((state.sum += process.pid)),
	query: ({ sum }) => text(sum),
	snapshot: ({ sum }) => [text(sum)],
	restore: (chunks) => ({ sum: JSON.parse(Buffer.concat([...chunks]).toString()) }),
};`;
		const nodes = await cluster({ app: app(erratic) });
		const leader = await leaderOf(nodes);
		const client = connect([leader]);
		for (let done = 0; done < 1100; done += 100)
			await Promise.all(
				Array.from({ length: 100 }, () => client.command(Uint8Array.of(1))),
			);
		const followers = nodes.filter((node) => node !== leader);
		const named = followers.map(({ id }) => `state-differs ${id}`).sort();
		for (const node of nodes)
			await eventually(async () => {
				const { alarms = [] } = await statusOf(node);
				const names = alarms.map((alarm) => `${alarm.kind} ${alarm.node}`);
				return names.sort().join() === named.join();
			}, `the alarms on ${node.id}`);
		expect(await probe(leader, "/readyz/state")).toBe(200);
		for (const node of followers) {
			expect(await probe(node, "/readyz/state")).toBe(503);
			expect(await isReady(node)).toBe(false);
			const sample = `raftd_alarm{kind="state-differs",node="${node.id}"}`;
			expect(await metric(leader, sample)).toBe(1);
		}
		for (const { id } of followers)
			expect(
				await adminCall(leader, "ClearAlarm", {
					...{ kind: "state-differs", node: id },
				}),
			).toEqual({});
		for (const node of followers)
			await eventually(() => isReady(node), `${node.id} to be ready again`);
	});
});
