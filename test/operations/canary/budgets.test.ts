import { describe, expect, it } from "vitest";
import {
	type Budgets,
	breachText,
	judgeBudgets,
	type Spent,
} from "../../../src/operations/canary/budgets.js";

const none: Budgets = {
	maxFailed: null,
	maxStallMs: null,
	maxLeaderlessMs: null,
};
const nothing: Spent = {
	...{ failed: 0, stallMs: 0, leaderlessMs: 0 },
	...{ failedSince: null, stallSince: null },
};

describe("a budget", () => {
	it("is judged only when it has a limit", () => {
		const spent = { ...nothing, failed: 9, stallMs: 9_999 };
		expect(judgeBudgets(none, spent)).toEqual([]);
		expect(judgeBudgets({ ...none, maxFailed: 9 }, spent)).toHaveLength(1);
	});

	it("is kept when its limit is just reached, and exceeded by a hair beyond", () => {
		const budgets = { maxFailed: 2, maxStallMs: 100, maxLeaderlessMs: 50 };
		const at = { ...nothing, failed: 2, stallMs: 100, leaderlessMs: 50 };
		const over = { ...at, failed: 3, stallMs: 100.2, leaderlessMs: 50.2 };
		expect(judgeBudgets(budgets, at).map((one) => one.exceeded)).toEqual([
			...[false, false, false],
		]);
		const verdicts = judgeBudgets(budgets, over);
		expect(verdicts.map((one) => one.exceeded)).toEqual([true, true, true]);
		expect(verdicts.map((one) => one.measured)).toEqual([3, 101, 51]);
	});

	it("of none allows none", () => {
		const budgets = { ...none, maxFailed: 0 };
		expect(judgeBudgets(budgets, nothing)[0]?.exceeded).toBe(false);
		expect(judgeBudgets(budgets, { ...nothing, failed: 1 })[0]).toMatchObject({
			...{ budget: "max-failed", exceeded: true, limit: 0, measured: 1 },
		});
	});

	it("that is exceeded says by how much, since when and by which flag", () => {
		const since = "2026-01-02T03:04:05.678Z";
		const [stall] = judgeBudgets(
			{ ...none, maxStallMs: 2_000 },
			{ ...nothing, stallMs: 4_100, stallSince: since },
		);
		expect(stall && breachText(stall)).toBe(
			`no write of the canary went through for 4100 ms from ${since} on, 2000 ms are allowed (--max-stall)`,
		);
	});
});
