import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { lacksRoot, onSmallDisk } from "../fakes/small-disk.js";
import { LocalCluster } from "./local-cluster.js";

const below = (cluster: LocalCluster, ...path: readonly string[]) =>
	join(cluster.directory, ".raftctl", `e2e-${cluster.portBase}`, ...path);
const ids = ["n1", "n2", "n3"];
/** Some twenty starts of raftctl and raftd, beside those of another test. */
const limitMs = 300_000;

async function started(
	portBase: number,
	{ onTestFinished }: TestContext,
): Promise<LocalCluster> {
	const cluster = await LocalCluster.create({ portBase });
	onTestFinished(() => cluster.dispose());
	await cluster.succeed(["up"]);
	for (let n = 0; n < 2; n++)
		await cluster.succeed(["kv", "put", `key${n}`, `value ${n}`]);
	return cluster;
}

/** Runs it until it says this, and kills it as SIGKILL does. */
async function killedAt(
	cluster: LocalCluster,
	argv: readonly string[],
	words: string,
): Promise<string> {
	const { child, done } = cluster.start(argv);
	let said = "";
	const hear = (chunk: Buffer) => {
		said += chunk;
		if (said.includes(words)) child.kill("SIGKILL");
	};
	child.stdout?.on("data", hear);
	child.stderr?.on("data", hear);
	await done;
	return said;
}

describe.concurrent("restoring a snapshot on real nodes", () => {
	it(
		"refuses what is no whole snapshot, is killed and resumed, and brings back what was saved",
		async (context) => {
			const cluster = await started(24_300, context);
			await cluster.succeed(["snapshot", "save", "--file", "good.snapshot"]);
			await cluster.succeed(["kv", "put", "later", "lost"]);
			const name = `e2e-${cluster.portBase}`;
			const restore = (file: string) => [
				...["snapshot", "restore", file, "--yes", "--erase", name],
			];
			const early = await cluster.run(restore("good.snapshot"));
			expect(early.exitCode).toBe(11);
			expect(early.stderr).toContain("n1 runs");
			await cluster.succeed(["down", "--yes"]);

			const whole = readFileSync(join(cluster.directory, "good.snapshot"));
			const flipped = Buffer.from(whole);
			flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 0x10;
			const bad = { flipped, short: whole.subarray(0, whole.length - 20) };
			for (const [word, bytes] of Object.entries(bad)) {
				const file = join(cluster.directory, `${word}.snapshot`);
				writeFileSync(file, bytes);
				const refused = await cluster.run(restore(file));
				expect(refused.exitCode).toBe(11);
				expect(refused.stderr).toMatch(/offset \d+/);
			}
			const unasked = await cluster.run([
				...["snapshot", "restore", "good.snapshot", "--yes"],
			]);
			expect(unasked.exitCode).toBe(11);
			expect(unasked.stderr).toContain(`--erase ${name}`);
			for (const id of ids)
				expect(readdirSync(below(cluster, id)).filter(isData)).toEqual([
					"data",
				]);

			await killedAt(
				cluster,
				restore("good.snapshot"),
				"start    n2: put the new data",
			);
			const beside = await cluster.run(["up"]);
			expect(beside.exitCode).toBe(14);
			await cluster.succeed(["operation", "resume", "--yes"]);
			const { stdout } = await cluster.succeed(["kv", "get", "key1"]);
			expect(stdout).toContain("value 1");
			expect((await cluster.run(["kv", "get", "later"])).exitCode).not.toBe(0);
			for (const id of ids)
				expect(readdirSync(below(cluster, id)).filter(isData)).toEqual([
					...["data", expect.stringMatching(/^data\.before-restore-/)],
				]);
			const [record] = (await cluster.json(["operation", "list"])).operations;
			expect(record).toMatchObject({ state: "done", keptBy: "hosts" });
		},
		limitMs,
	);
});

describe.concurrent("a full disk at one target", () => {
	it.skipIf(lacksRoot)(
		"is noticed before anything is moved, and leaves nothing behind",
		async (context) => {
			const cluster = await started(24_500, context);
			await cluster.succeed(["snapshot", "save", "--file", "good.snapshot"]);
			await cluster.succeed(["down", "--yes"]);
			const before = readFileSync(cluster.file, "utf8");
			await onSmallDisk(below(cluster, "n3"), "40k", async () => {
				const name = `e2e-${cluster.portBase}`;
				const full = await cluster.run([
					...["snapshot", "restore", "good.snapshot"],
					...["--yes", "--erase", name],
				]);
				expect(full.exitCode).toBe(11);
				expect(full.stderr).toContain("the disk is full");
				for (const id of ["n1", "n2"])
					expect(readdirSync(below(cluster, id)).filter(isData)).toEqual([
						"data",
					]);
				expect(readdirSync(below(cluster, "n3")).filter(isData)).toEqual([]);
			});
			expect(readFileSync(cluster.file, "utf8")).toBe(before);
			await cluster.succeed(["up"]);
			const { stdout } = await cluster.succeed(["kv", "get", "key1"]);
			expect(stdout).toContain("value 1");
		},
		limitMs,
	);
});

function isData(name: string): boolean {
	return name.startsWith("data");
}

describe.concurrent("recovering on real nodes", () => {
	it(
		"goes on with what the survivor has, after a kill and an abort, too",
		async (context) => {
			const cluster = await started(24_400, context);
			const name = `e2e-${cluster.portBase}`;
			const quorate = await cluster.run([
				...["recover", "--yes", "--cluster-name", name],
			]);
			expect(quorate.exitCode).toBe(11);
			for (const id of ["n2", "n3"]) {
				await cluster.signal(id, "SIGKILL");
				rmSync(below(cluster, id, "data"), { recursive: true });
			}
			const wordless = await cluster.run(["recover", "--yes"]);
			expect(wordless.exitCode).toBe(2);

			const argv = ["recover", "--yes", "--cluster-name", name];
			const said = await killedAt(
				cluster,
				argv,
				"start    n1: put the new data",
			);
			expect(said).toContain("Gone: n2, n3");
			await cluster.succeed(["operation", "abort", "--yes"]);
			expect(readdirSync(below(cluster, "n1")).filter(isData)).toEqual([
				"data",
			]);
			await cluster.pidOf("n1");

			const report = await cluster.json(argv);
			expect(report).toMatchObject({
				...{ nodes: ["n1"], left: ["n2", "n3"], survey: { best: "n1" } },
			});
			expect(report.index).toBeGreaterThan(report.fromIndex);
			const { stdout } = await cluster.succeed(["kv", "get", "key1"]);
			expect(stdout).toContain("value 1");
			expect(readFileSync(cluster.file, "utf8")).toContain(report.clusterId);
		},
		limitMs,
	);
});
