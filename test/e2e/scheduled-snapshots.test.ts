import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ScheduledSnapshot } from "../../src/machines/control.js";
import { realDisk } from "../../src/storage/real-disk.js";
import { verifySnapshotFile } from "../../src/storage/snapshots/verify.js";
import { S3Server, skipS3 } from "../daemon/backup/s3-server.js";
import { RaftdGround } from "../daemon/raftd-ground.js";
import {
	adminCall,
	ask,
	type NodeFile,
	Raftd,
	writeCluster,
} from "../daemon/raftd-process.js";
import { eventually } from "./local-cluster.js";
import { isReady, leaderOf, metric, statusOf } from "./real-nodes.js";

const ground = new RaftdGround();
const running = new Map<string, Raftd>();
let backups: string;

beforeEach(() => {
	ground.open();
	backups = join(ground.directory, "backups");
	mkdirSync(backups);
});
afterEach(async () => {
	await Promise.all([...running.values()].map((raftd) => raftd.destroy()));
	running.clear();
	await ground.close();
});

async function start(
	node: NodeFile,
	env: Record<string, string> = {},
): Promise<Raftd> {
	const raftd = new Raftd(["--config", node.path], env);
	running.set(node.id, raftd);
	await raftd.until(() => isReady(node));
	return raftd;
}

async function cluster(
	changes: Record<string, unknown> = {},
	env: Record<string, string> = {},
): Promise<NodeFile[]> {
	const ids = ["n1", "n2", "n3"];
	const nodes = await writeCluster(ground.directory, ids, changes);
	await Promise.all(nodes.map((node) => start(node, env)));
	return nodes;
}

async function schedule(
	node: NodeFile,
	changes: Record<string, unknown> = {},
): Promise<void> {
	const wanted = { intervalMs: "1000", keep: 2, directory: backups };
	const answer = await adminCall(node, "SetSnapshotSchedule", {
		schedule: { ...wanted, ...changes },
	});
	expect(answer).toEqual({});
}

/** As the node's status has it; numbers are text where they may be large. */
async function lastOf(
	node: NodeFile,
): Promise<Partial<Record<keyof ScheduledSnapshot, unknown>> | null> {
	const status = (await statusOf(node)) as unknown as Record<string, unknown>;
	return (status.scheduledSnapshot as object | undefined) ?? null;
}

const put = (node: NodeFile, key: string, value: string) =>
	ask(node, "command", { op: "put", key, value });

const copies = () =>
	readdirSync(backups).filter((name) => name.endsWith(".snapshot"));

/** Those under the name of a copy which are not whole. */
function broken(): string[] {
	return copies().filter(
		(name) => !verifySnapshotFile(join(backups, name), realDisk).ok,
	);
}

const indexOf = (name: string) => Number(/-(\d+)\.snapshot$/.exec(name)?.[1]);
const indexOfPart = (name: string) =>
	Number(/-(\d+)\.snapshot\./.exec(name)?.[1]);

describe("a cluster with a snapshot schedule", () => {
	it("keeps whole copies of itself, and every node tells of the last one", async () => {
		const nodes = await cluster();
		const [first] = nodes as [NodeFile];
		await put(first, "a", "1");
		const hook = join(ground.directory, "hook.mjs");
		writeFileSync(
			hook,
			`import { appendFileSync } from "node:fs";
const { RAFTCTL_SNAPSHOT, RAFTCTL_CLUSTER, RAFTCTL_INDEX } = process.env;
appendFileSync(process.argv[2], [RAFTCTL_CLUSTER, RAFTCTL_INDEX, RAFTCTL_SNAPSHOT].join(" ") + "\\n");
`,
		);
		const told = join(ground.directory, "told");
		await schedule(first, { command: [process.execPath, hook, told] });
		await eventually(
			async () => copies().some((name) => indexOf(name) > 6) && copies().length,
			"copies",
		);
		const seen = new Set<number>();
		await eventually(async () => {
			for (const name of copies()) seen.add(indexOf(name));
			expect(broken()).toEqual([]);
			return seen.size >= 4;
		}, "four snapshots");
		// One that is just made may be there beside those that are kept.
		expect(copies().length).toBeLessThanOrEqual(3);
		for (const node of nodes) {
			const last = await eventually(async () => {
				const found = await lastOf(node);
				return found?.succeededAtMs ? found : null;
			}, "a snapshot in the status");
			expect(last.fault ?? "").toBe("");
			expect(String(last.file)).toMatch(/backups\/test-\d+\.snapshot$/);
			const timestamp = "raftd_scheduled_snapshot_timestamp_seconds";
			expect(await metric(node, timestamp)).toBeGreaterThan(1e9);
		}
		const lines = readFileSync(told, "utf8").trim().split("\n");
		const indexes = lines.map((line) => Number(line.split(" ")[1]));
		expect(lines[0]).toMatch(/^test \d+ \/.+\/backups\/test-\d+\.snapshot$/);
		expect(indexes).toEqual([...new Set(indexes)].sort((a, b) => a - b));
		await adminCall(first, "SetSnapshotSchedule", {});
	});

	it("goes on without it when the directory is missing, says so, and catches up", async () => {
		const nodes = await cluster();
		const [first] = nodes as [NodeFile];
		const directory = join(ground.directory, "not-there");
		await schedule(first, { directory });
		for (const node of nodes) {
			const fault = await eventually(
				async () => (await lastOf(node))?.fault,
				"the fault",
			);
			expect(fault).toMatch(
				/not-there is not there on n\d: make it on every node, for the user that raftd runs as$/,
			);
			expect(await metric(node, "raftd_scheduled_snapshot_failed")).toBe(1);
		}
		expect((await put(first, "a", "1")).status).toBe(200);
		mkdirSync(directory);
		await eventually(
			async () => (await lastOf(first))?.succeededAtMs,
			"a snapshot after the fault",
		);
		expect((await lastOf(first))?.fault ?? "").toBe("");
	});

	it("whose leaders are killed while they copy leaves no broken copy, and goes on", async () => {
		// A state of 3 MiB, copied at 2 MiB a second: a leader that is killed is killed in the middle.
		const nodes = await cluster({
			limits: { maxSnapshotBytesPerSecond: 2 * 1024 * 1024 },
		});
		const value = "x".repeat(512 * 1024);
		const [first] = nodes as [NodeFile];
		for (let at = 0; at < 6; at += 1)
			expect((await put(first, `k${at}`, value)).status).toBe(200);
		await schedule(first);
		for (let kills = 0; kills < 2; kills += 1) {
			await eventually(
				async () => readdirSync(backups).some((name) => name.endsWith(".part")),
				"a copy under way",
			);
			const leader = await leaderOf(nodes);
			running.get(leader.id)?.kill("SIGKILL");
			await running.get(leader.id)?.ended;
			expect(broken()).toEqual([]);
			const newest = Math.max(0, ...copies().map(indexOf));
			await eventually(
				async () => copies().some((name) => indexOf(name) > newest),
				"the next leader's copy",
			);
			await start(leader);
		}
		expect(broken()).toEqual([]);
		await eventually(async () => {
			const newest = Math.max(...copies().map(indexOf));
			return readdirSync(backups).every(
				(name) => !name.endsWith(".part") || indexOfPart(name) >= newest,
			);
		}, "an end of what the killed ones had begun");
	}, 120_000);
});

describe.skipIf(skipS3)("a cluster that copies to S3", () => {
	it("keeps its snapshots there, and its secret to itself", async () => {
		const s3 = await S3Server.start();
		try {
			const { accessKeyId, secretAccessKey } = s3.credentials;
			const nodes = await cluster(
				{},
				{
					...{ AWS_ACCESS_KEY_ID: accessKeyId },
					...{ AWS_SECRET_ACCESS_KEY: secretAccessKey },
					// Neither is to steer the client.
					...{ AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_PROFILE: "nobody" },
				},
			);
			const [first] = nodes as [NodeFile];
			await schedule(first, { s3: s3.target });
			await eventually(async () => {
				const fault = (await lastOf(first))?.fault;
				expect(fault ?? "").toBe("");
				return (await s3.keys()).length >= 2;
			}, "snapshots in the bucket");
			const [key = ""] = await s3.keys();
			expect(key).toMatch(/^raft\/test-\d+\.snapshot$/);
			const fetched = join(ground.directory, "fetched.snapshot");
			writeFileSync(fetched, await s3.get(key));
			expect(verifySnapshotFile(fetched, realDisk).ok).toBe(true);
			const seen = new Set<string>();
			await eventually(async () => {
				const keys = await s3.keys();
				for (const each of keys) seen.add(each);
				expect(keys.length).toBeLessThanOrEqual(3);
				return seen.size >= 4;
			}, "older ones to go");
			await adminCall(first, "SetSnapshotSchedule", {});
			for (const node of nodes) {
				const words = [
					JSON.stringify(await statusOf(node)),
					JSON.stringify(running.get(node.id)?.log()),
				];
				for (const each of words) expect(each).not.toContain(secretAccessKey);
			}
			for (const [id, raftd] of running) {
				raftd.kill("SIGTERM");
				const { code, stderr } = await raftd.ended;
				expect({ id, code, stderr }).toEqual({ id, code: 0, stderr: "" });
			}
		} finally {
			s3.close();
		}
	});
});
