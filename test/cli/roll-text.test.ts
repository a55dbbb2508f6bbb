import { describe, expect, it } from "vitest";
import { rollText } from "../../src/cli/roll-text.js";
import { judgeBudgets } from "../../src/operations/canary/budgets.js";
import {
	planRollingRestart,
	rollingRestart,
} from "../../src/operations/rolling-restart.js";
import { FakeFront } from "../fakes/fake-caller.js";
import { operating } from "../operations/operating.js";

describe("the text of a roll", () => {
	const whole = { nodes: [], skip: [], lockWaitMs: 0 };

	it("shows as a plan what each step will cost", async () => {
		const { cluster, context } = operating();
		cluster.connect(7, "n3");
		const text = rollText(await planRollingRestart(context, whole));
		expect(text).toContain("nothing was touched");
		expect(text).toMatch(/n3\/drain +.* +7 connections move, over 500 ms/);
		expect(text).toMatch(/n1\/transfer +hand its leadership over/);
	});

	it("shows afterwards what it did cost", async () => {
		const { cluster, context } = operating();
		cluster.connect(7, "n3");
		const text = rollText(await rollingRestart(context, whole));
		expect(text).toMatch(/^restarted 3 nodes of test in \d+\.\d s$/m);
		expect(text).toMatch(/^n3 +7 +\d+\.\d s +\d+\.\d s$/m);
		expect(text).toMatch(/^leadership went from n1 to n\d in 40 ms$/m);
		expect(text).toContain("without a leader: 0 ms at most");
		expect(text).not.toContain("the canary");
	});

	it("shows what a canary saw, and a budget that was exceeded", async () => {
		const { cluster, context } = operating();
		const budgets = { maxFailed: 0, maxStallMs: 1, maxLeaderlessMs: null };
		const front = new FakeFront(cluster);
		const report = await rollingRestart(context, {
			...{ ...whole, nodes: ["n2"] },
			canary: {
				wish: { budgets: { ...budgets, maxStallMs: 10_000 } },
				openCaller: front.open,
			},
		});
		const { cost } = report;
		if (cost === null) throw new Error("it has no cost");
		const text = rollText(report);
		expect(text).toMatch(
			/^the canary: 0 of \d+ requests failed, slowest write 2 ms, longest stall \d+ ms$/m,
		);
		expect(text).not.toContain("over budget");
		const over = judgeBudgets(budgets, {
			...{ failed: 3, stallMs: 52, leaderlessMs: 0 },
			...{ failedSince: null, stallSince: null },
		});
		expect(rollText({ ...report, cost: { ...cost, budgets: over } })).toContain(
			"over budget: --max-failed 0, it was 3\nover budget: --max-stall 1 ms, it was 52 ms",
		);
	});
});
