import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
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

/** A cluster of one test, and the directory that it copies itself to. */
class Copied {
	readonly directory: string;
	readonly backups: string;
	readonly running = new Map<string, Raftd>();
	readonly #ground = new RaftdGround();

	constructor({ onTestFinished }: TestContext) {
		this.#ground.open();
		this.directory = this.#ground.directory;
		this.backups = join(this.directory, "backups");
		mkdirSync(this.backups);
		onTestFinished(async () => {
			const ends = [...this.running.values()].map((raftd) => raftd.destroy());
			await Promise.all(ends);
			await this.#ground.close();
		});
	}

	async cluster(
		changes: Record<string, unknown> = {},
		env: Record<string, string> = {},
	): Promise<NodeFile[]> {
		const ids = ["n1", "n2", "n3"];
		const nodes = await writeCluster(this.directory, ids, changes);
		await Promise.all(nodes.map((node) => this.start(node, env)));
		return nodes;
	}

	async start(node: NodeFile, env: Record<string, string> = {}): Promise<void> {
		const raftd = new Raftd(["--config", node.path], env);
		this.running.set(node.id, raftd);
		await raftd.until(() => isReady(node));
	}

	async schedule(
		node: NodeFile,
		changes: Record<string, unknown> = {},
	): Promise<void> {
		const wanted = { intervalMs: "1000", keep: 2, directory: this.backups };
		const answer = await adminCall(node, "SetSnapshotSchedule", {
			schedule: { ...wanted, ...changes },
		});
		expect(answer).toEqual({});
	}

	copies(): string[] {
		return readdirSync(this.backups).filter((name) =>
			name.endsWith(".snapshot"),
		);
	}

	/** Those under the name of a copy which are not whole. */
	broken(): string[] {
		return this.copies().filter(
			(name) => !verifySnapshotFile(join(this.backups, name), realDisk).ok,
		);
	}
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

const indexOf = (name: string) => Number(/-(\d+)\.snapshot$/.exec(name)?.[1]);
const indexOfPart = (name: string) =>
	Number(/-(\d+)\.snapshot\./.exec(name)?.[1]);

/** Two clusters at once, whose copies are a second apart at least. */
const timeout = 120_000;

describe.concurrent("a cluster with a snapshot schedule", { timeout }, () => {
	it("keeps whole copies of itself, and every node tells of the last one", async (context) => {
		const scene = new Copied(context);
		const nodes = await scene.cluster();
		const [first] = nodes as [NodeFile];
		await put(first, "a", "1");
		const hook = join(scene.directory, "hook.mjs");
		writeFileSync(
			hook,
			`import { appendFileSync } from "node:fs";
const { RAFTCTL_SNAPSHOT, RAFTCTL_CLUSTER, RAFTCTL_INDEX } = process.env;
appendFileSync(process.argv[2], [RAFTCTL_CLUSTER, RAFTCTL_INDEX, RAFTCTL_SNAPSHOT].join(" ") + "\\n");
`,
		);
		const told = join(scene.directory, "told");
		await scene.schedule(first, { command: [process.execPath, hook, told] });
		await eventually(
			async () =>
				scene.copies().some((name) => indexOf(name) > 6) &&
				scene.copies().length,
			"copies",
		);
		const seen = new Set<number>();
		await eventually(async () => {
			for (const name of scene.copies()) seen.add(indexOf(name));
			expect(scene.broken()).toEqual([]);
			return seen.size >= 4;
		}, "four snapshots");
		// One that is just made may be there beside those that are kept.
		expect(scene.copies().length).toBeLessThanOrEqual(3);
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

	it("goes on without it when the directory is missing, says so, and catches up", async (context) => {
		const scene = new Copied(context);
		const nodes = await scene.cluster();
		const [first] = nodes as [NodeFile];
		const directory = join(scene.directory, "not-there");
		await scene.schedule(first, { directory });
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

	it("whose leaders are killed while they copy leaves no broken copy, and goes on", async (context) => {
		const scene = new Copied(context);
		// A state of 3 MiB, copied at 2 MiB a second: a leader that is killed is killed in the middle.
		const nodes = await scene.cluster({
			limits: { maxSnapshotBytesPerSecond: 2 * 1024 * 1024 },
		});
		const value = "x".repeat(512 * 1024);
		const [first] = nodes as [NodeFile];
		for (let at = 0; at < 6; at += 1)
			expect((await put(first, `k${at}`, value)).status).toBe(200);
		await scene.schedule(first);
		for (let kills = 0; kills < 2; kills += 1) {
			await eventually(
				async () =>
					readdirSync(scene.backups).some((name) => name.endsWith(".part")),
				"a copy under way",
			);
			const leader = await leaderOf(nodes);
			scene.running.get(leader.id)?.kill("SIGKILL");
			await scene.running.get(leader.id)?.ended;
			expect(scene.broken()).toEqual([]);
			const newest = Math.max(0, ...scene.copies().map(indexOf));
			await eventually(
				async () => scene.copies().some((name) => indexOf(name) > newest),
				"the next leader's copy",
			);
			await scene.start(leader);
		}
		expect(scene.broken()).toEqual([]);
		await eventually(async () => {
			const newest = Math.max(...scene.copies().map(indexOf));
			return readdirSync(scene.backups).every(
				(name) => !name.endsWith(".part") || indexOfPart(name) >= newest,
			);
		}, "an end of what the killed ones had begun");
	});
});

describe.concurrent("a cluster that copies to S3", { timeout }, () => {
	it.skipIf(skipS3)(
		"keeps its snapshots there, and its secret to itself",
		async (context) => {
			const scene = new Copied(context);
			const s3 = await S3Server.start();
			try {
				const { accessKeyId, secretAccessKey } = s3.credentials;
				const nodes = await scene.cluster(
					{},
					{
						...{ AWS_ACCESS_KEY_ID: accessKeyId },
						...{ AWS_SECRET_ACCESS_KEY: secretAccessKey },
						// Neither is to steer the client.
						...{
							AWS_ENDPOINT_URL: "http://127.0.0.1:9",
							AWS_PROFILE: "nobody",
						},
					},
				);
				const [first] = nodes as [NodeFile];
				await scene.schedule(first, { s3: s3.target });
				await eventually(async () => {
					const fault = (await lastOf(first))?.fault;
					expect(fault ?? "").toBe("");
					return (await s3.keys()).length >= 2;
				}, "snapshots in the bucket");
				const [key = ""] = await s3.keys();
				expect(key).toMatch(/^raft\/test-\d+\.snapshot$/);
				const fetched = join(scene.directory, "fetched.snapshot");
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
						JSON.stringify(scene.running.get(node.id)?.log()),
					];
					for (const each of words) expect(each).not.toContain(secretAccessKey);
				}
				for (const [id, raftd] of scene.running) {
					raftd.kill("SIGTERM");
					const { code, stderr } = await raftd.ended;
					expect({ id, code, stderr }).toEqual({ id, code: 0, stderr: "" });
				}
			} finally {
				s3.close();
			}
		},
	);
});
