import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BenchReport } from "../../src/operations/bench/result.js";
import { onTerminal } from "../cli/raftctl.js";
import { LocalCluster } from "./local-cluster.js";

/** The real tool on real nodes: that it measures and leaves nothing. What it measures is `npm run bench`'s business. */
describe("raftctl bench", () => {
	let cluster: LocalCluster;
	beforeAll(async () => {
		cluster = await LocalCluster.create({ portBase: 18_700 });
		await cluster.succeed(["up"]);
	});
	afterAll(() => cluster?.dispose());

	const bench = (flags: readonly string[]): Promise<BenchReport> =>
		cluster.json(["bench", "--yes", "--warm-up", "500ms", ...flags]);
	const keysLeft = async (): Promise<readonly unknown[]> =>
		(await cluster.json(["kv", "list", "raftctl/bench/"])).items;

	it("measures a closed loop of reads and writes, and removes its keys", async () => {
		const { results, keys, load } = await bench([
			...["--duration", "2s", "--reads", "0.5", "--keys", "500"],
			...["--threads", "2", "--clients", "32"],
		]);
		const [run] = results[0]?.runs ?? [];
		expect(load).toMatchObject({ mode: "closed", threads: 2, connections: 8 });
		expect(run).toMatchObject({ errors: {}, failed: 0, service: null });
		expect(run?.writes?.count).toBeGreaterThan(100);
		expect(run?.reads?.count).toBeGreaterThan(100);
		expect(run?.latency.p50Ms).toBeGreaterThan(0);
		expect(run?.latency.p50Ms).toBeLessThanOrEqual(run?.latency.maxMs ?? 0);
		expect(run?.series.length).toBeGreaterThanOrEqual(2);
		expect(keys).toMatchObject({ removed: 500, left: [] });
		expect(await keysLeft()).toEqual([]);
	});

	it("sends at a rate, whatever becomes of it, and reports it as a page", async () => {
		const { results } = await bench([
			...["--duration", "2s", "--rate", "200", "--report", "bench.html"],
		]);
		const [run] = results[0]?.runs ?? [];
		const asked = (run?.latency.count ?? 0) + (run?.failed ?? 0);
		// Two seconds' worth, and those that were due when the last of them ended.
		expect(asked).toBeGreaterThanOrEqual(399);
		expect(run?.service?.p50Ms).toBeLessThanOrEqual(run?.latency.p50Ms ?? 0);
		const page = await readFile(join(cluster.directory, "bench.html"), "utf8");
		expect(page).toContain("raftctl bench of e2e-18700");
		expect(await keysLeft()).toEqual([]);
	});

	it("prints what was measured when it is interrupted, and removes its keys", async () => {
		const { child, done } = cluster.start([
			...["bench", "--yes", "--duration", "60s", "-o", "ndjson"],
			...["--warm-up", "0ms"],
		]);
		const second = '"step-progress"';
		let said = "";
		child.stdout?.on("data", (chunk) => {
			const isFirst = !said.includes(second);
			said += chunk;
			// Once: a second Ctrl-C would end it without its result.
			if (isFirst && said.includes(second)) child.kill("SIGINT");
		});
		const { exitCode, stdout } = await done;
		const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
		expect(last).toMatchObject({ type: "result" });
		const { results, interrupted } = last.result as BenchReport;
		expect(interrupted).toBe(true);
		expect(results[0]?.runs[0]?.latency.count).toBeGreaterThan(10);
		expect(exitCode).toBe(130);
		expect(await keysLeft()).toEqual([]);
	});

	it("asks first, and touches nothing on a no", async () => {
		const nobody = await cluster.run(["bench"]);
		expect(nobody.stderr).toContain("Put this load on e2e-18700?");
		expect(nobody.exitCode).toBe(2);
		const { code, output } = await onTerminal(["bench"], {
			...{ directory: cluster.directory, awaited: "Put this load" },
			typed: "n\r",
		});
		expect(output).toContain("below raftctl/bench/");
		expect(code).toBe(11);
	});

	it("removes what one that was killed has left", async () => {
		const { child, done } = cluster.start([
			...["bench", "--yes", "--duration", "60s", "-o", "ndjson"],
		]);
		child.stdout?.once("data", () => {
			child.stdout?.on("data", (chunk) => {
				if (String(chunk).includes('"raftd/load"')) child.kill("SIGKILL");
			});
		});
		await done;
		const before = await keysLeft();
		expect(before.length).toBeGreaterThan(0);
		const { removed } = await cluster.json(["bench", "--clean", "--yes"]);
		expect(removed).toBeGreaterThanOrEqual(before.length);
		expect(await keysLeft()).toEqual([]);
	});

	it("of nodes that do not answer says so, and what to type next", async () => {
		const { exitCode, stdout } = await cluster.run([
			...["bench", "--yes", "--endpoint", "127.0.0.1:9", "--timeout", "500ms"],
			"--json",
		]);
		expect(exitCode).toBe(20);
		expect(JSON.parse(stdout).error).toMatchObject({
			...{ kind: "unreachable", problems: ["tried 127.0.0.1:9"] },
			...{ state: "nothing was measured", next: "raftctl status" },
		});
	});
});
