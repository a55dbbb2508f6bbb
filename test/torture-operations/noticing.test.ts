import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../e2e/local-cluster.js";
import { Random } from "../sim/random.js";
import { Counts, mustStayZero, risen, summaryOf } from "./counts.js";
import { conclude } from "./main.js";
import type { Piece } from "./piece.js";
import { claimPorts, type Ports } from "./ports.js";
import { judge, prepare } from "./round.js";
import { Stage } from "./stage.js";

const limitMs = 180_000;
/** Long enough that a look finds what is wrong, and not so long that a drain's lease is over. */
const restLimitMs = 3_000;

const counts = new Counts();
const directory = mkdtempSync(join(tmpdir(), "raftctl-torture-"));
let ports: Ports;
let stage: Stage;

beforeAll(async () => {
	ports = await claimPorts();
	const random = new Random(1);
	stage = new Stage({
		...{ directory, counts, random, restLimitMs, voters: 3 },
		...{ kind: "operator", tell: () => undefined, portBase: ports.base },
	});
	await stage.open();
}, limitMs);

afterAll(async () => {
	stage.ground.killAll();
	ports.release();
	rmSync(directory, { recursive: true, force: true });
});

/** Does nothing, and may start nobody. */
const idle: Piece = {
	...{ name: "idle", needs: { voters: 3, learners: 0 }, isJournaled: false },
	choose: () => ({
		...{ argv: ["status"], starts: {} },
		goal: { voters: 3, learners: 0 },
	}),
};

describe("the torture of operations, on a real cluster", () => {
	it(
		"counts a restart that nobody planned",
		async () => {
			const { scene, members } = await prepare(stage, idle);
			const [victim = ""] = members.voters.filter(
				(id) => id !== members.leader,
			);
			stage.strike(victim);
			stage.ground.signal(victim, "SIGKILL");
			await stage.ground.succeed(["up", "--yes"]);
			stage.mend();
			expect(counts.extraRestarts).toBe(0);
			await judge(stage, scene, { isDone: true });
			expect(counts.extraRestarts).toBe(1);
			expect(stage.problems.at(-1)).toContain("was started 1 times, not 0");
		},
		limitMs,
	);

	it(
		"counts a node that was left drained",
		async () => {
			const { voters } = await stage.rest();
			expect(counts.leftDrained).toBe(0);
			const [node = ""] = voters;
			await stage.ground.succeed(["drain", node, "--for", "10m"]);
			await stage.rest();
			expect(counts.leftDrained).toBe(1);
			await stage.ground.succeed(["undrain", node]);
			await stage.rest();
			expect(counts.leftDrained).toBe(1);
		},
		limitMs,
	);

	it(
		"counts an acknowledged write that one member does not have",
		async () => {
			await stage.readBack();
			expect(counts.lostWrites).toBe(0);
			const [known] = stage.load.acknowledged;
			const forged = { key: "w9/0", value: "of nobody", index: known?.index };
			stage.load.acknowledged.unshift({ ...forged, index: known?.index ?? 0 });
			await stage.readBack();
			expect(counts.lostWrites).toBe(3);
			stage.load.acknowledged.shift();
			await stage.readBack();
			expect(counts.lostWrites).toBe(3);
		},
		limitMs,
	);

	it(
		"counts requests that fail, apart from those that its own blow explains, and a quorum at risk",
		async () => {
			const { voters, leader } = await stage.rest();
			const { load, watch } = stage;
			const explained = load.explained;
			expect(load.failures).toEqual([]);
			expect(watch.faults).toEqual([]);
			const followers = voters.filter((id) => id !== leader);
			stage.strike(followers[0] ?? "");
			for (const id of ["balancer", ...followers])
				stage.ground.signal(id, "SIGKILL");
			await eventually(async () => load.explained > explained, "a failure");
			expect(load.failures).toEqual([]);
			stage.mend();
			await eventually(async () => watch.faults.length > 0, "a fault");
			await eventually(async () => load.failures.length > 0, "a failure");
			await stage.ground.succeed(["up", "--yes"]);
			await stage.close();
			expect(counts.failedRequests).toBeGreaterThan(0);
			expect(counts.quorumAtRisk).toBeGreaterThan(0);
		},
		limitMs,
	);

	it("fails a run for each counter that rose, whatever else it found", () => {
		const summary = summaryOf(counts, 7);
		expect(risen(summary)).toHaveLength(mustStayZero.length);
		const said: string[] = [];
		const report = { summary, problems: [] };
		const home = mkdtempSync(join(tmpdir(), "raftctl-torture-"));
		expect(conclude(report, home, (line) => said.push(line))).toBe(1);
		expect(said).toContain("lostWrites is 3, not 0");
		const whole = { summary: summaryOf(new Counts(), 7), problems: [] };
		expect(conclude(whole, home, (line) => said.push(line))).toBe(0);
	});
});
