import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTraffic } from "../../src/operations/demo/traffic.js";
import { eventually, LocalCluster } from "./local-cluster.js";

const portBase = 25_400;
const limitMs = 240_000;
let cluster: LocalCluster;

beforeAll(async () => {
	cluster = await LocalCluster.create({ portBase });
	const text = await readFile(cluster.file, "utf8");
	await writeFile(cluster.file, `# ours, and to stay\n${text}`);
	await cluster.succeed(["up"]);
}, limitMs);

afterAll(() => cluster?.dispose(), limitMs);

/** Requests without any retry, through the balancer. */
async function underLoad(work: () => Promise<void>): Promise<void> {
	const traffic = startTraffic({
		address: `127.0.0.1:${portBase}`,
		writers: 4,
		readers: 2,
		timeoutMs: 10_000,
		nowMs: () => performance.now(),
	});
	await eventually(
		async () => traffic.acknowledged.length > 50,
		"the first fifty writes",
	);
	await work();
	await traffic.stop();
	expect(traffic.failures).toEqual([]);
}

const at = (port: number) => ({
	peer: `127.0.0.1:${port}`,
	client: `127.0.0.1:${port + 1}`,
	admin: `127.0.0.1:${port + 2}`,
});

/** By every node's own word, the file's, and that of what differs. */
async function expectAt(id: string, port: number): Promise<void> {
	const answer = await fetch(
		`http://127.0.0.1:${port + 2}/raftctl.admin.v1.AdminService/GetStatus`,
		{
			method: "POST",
			headers: { "content-type": "application/json" },
			body: "{}",
		},
	);
	const status = JSON.stringify(await answer.json());
	for (const address of Object.values(at(port)))
		expect(status).toContain(address);
	const text = await readFile(cluster.file, "utf8");
	expect(text).toMatch(/^# ours, and to stay\n/);
	expect(text).toContain(`id: ${id}`);
	expect(text).toContain(at(port).peer);
	await cluster.succeed(["health"]);
	await cluster.succeed(["diff"]);
}

describe("a node that moves to other ports", () => {
	it(
		"fails no request, be it a follower or the leader, and everybody knows of it",
		async () => {
			await cluster.succeed(["transfer-leader", "--to", "n1"]);
			for (const [id, port] of [
				["n2", 25_520],
				["n1", 25_510],
			] as const) {
				await underLoad(async () => {
					const peer = `127.0.0.1:${port}`;
					const moved = ["move-node", id, "--peer", peer, "--yes"];
					const report = await cluster.json(moved);
					expect(report).toMatchObject({
						...{ changes: [`update ${id}`], silent: [], fileChanged: true },
						agreeing: ["n1", "n2", "n3"],
					});
				});
				await expectAt(id, port);
			}
		},
		limitMs,
	);

	it.each([
		["tell the members", "resume", 25_530],
		["stop it, start it there", "resume", 25_540],
		["stop it, start it there", "abort", 25_550],
	])(
		'is whole again when its operator is killed at "%s", by %s',
		async (title, how, port) => {
			const peer = `127.0.0.1:${port}`;
			const argv = ["move-node", "n3", "--peer", peer, "--yes"];
			const { child, done } = cluster.start([...argv, "-o", "ndjson"]);
			let said = "";
			child.stdout?.on("data", (chunk) => {
				said += chunk;
			});
			const begun = new RegExp(`"step-started"[^\\n]*${title}`);
			await eventually(async () => begun.test(said), title);
			child.kill("SIGKILL");
			await done;
			await cluster.releaseLock();
			await cluster.succeed(["operation", how, "--yes"]);
			const { operation } = await cluster.json(["status"]);
			expect(operation).toBeNull();
			await cluster.succeed(["health"]);
			await cluster.succeed(["diff"]);
			if (how === "resume") await expectAt("n3", port);
		},
		limitMs,
	);

	it(
		"comes back to its new ports with up, after all were down",
		async () => {
			await cluster.succeed(["down", "--yes"]);
			await cluster.succeed(["up"]);
			await expectAt("n1", 25_510);
		},
		limitMs,
	);
});
