import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const script = resolve(import.meta.dirname, "../../scripts/sim.mjs");

function sim(...args: string[]) {
	return spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
}

describe("the simulator's command", () => {
	it("prints one JSON object with what it did", () => {
		const args = ["--seeds", "3", "--steps", "2000", "--json"];
		const { status, stdout, stderr } = sim(...args);
		const report = JSON.parse(stdout);
		expect(status).toBe(0);
		expect(report).toMatchObject({ seeds: 3, violations: 0, judged: false });
		expect(report.stepsPerSecond).toBeGreaterThan(0);
		expect(stderr).toBe(
			`coverage not judged: 3 seeds and ${report.steps} steps are too few\n`,
		);
		expect(report.steps).toBeGreaterThanOrEqual(6000);
		expect(report.coverage.elections).toBeGreaterThan(0);
	});

	it("names the seed, the rule and the replay of a failure, and the replay fails alike", () => {
		const args = ["--steps", "5000", "--mutant", "send-before-durable"];
		const first = sim(...args, "--seeds", "20");
		expect(first.status).toBe(1);
		const replay = first.stderr.match(/replay: npm run sim -- (.*)/)?.[1];
		const again = sim(...(replay ?? "").split(" "));
		expect(again.status).toBe(1);
		expect(again.stderr).toBe(first.stderr);
	});

	it("ends a batch that is interrupted with what it did until then", async () => {
		const args = ["--seeds", "100000", "--steps", "200", "--json"];
		const child = spawn(process.execPath, [script, ...args, "--verbose"]);
		let stdout = "";
		child.stdout.setEncoding("utf8").on("data", (text) => {
			stdout += text;
		});
		await once(child.stderr, "data");
		child.stderr.resume();
		child.kill("SIGTERM");
		const [code] = await once(child, "close");
		expect(code).toBe(143);
		expect(JSON.parse(stdout)).toMatchObject({ violations: 0, judged: false });
		expect(JSON.parse(stdout).seeds).toBeGreaterThan(0);
	});

	it("refuses arguments that make no sense", () => {
		expect(sim("--seeds", "many").status).toBe(2);
		expect(sim("--mutant", "nonsense").status).toBe(2);
		expect(sim("--without", "nonsense").status).toBe(2);
		expect(sim("--speed", "fast").status).toBe(2);
	});
});
