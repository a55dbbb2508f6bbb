import type { Outcome, Story } from "../../../src/cli/report-story.js";
import { StoryTeller } from "../../../src/cli/report-story.js";
import type { OperationCost } from "../../../src/operations/cost/cost.js";

export const beganAt = new Date("2026-01-02T03:04:05.678Z");

export const cost: OperationCost = {
	...{ requests: 1_204, failedRequests: 3, slowestWriteMs: 83 },
	...{ longestStallMs: 2_140, leaderlessMaxMs: 940, leaderlessTotalMs: 1_010 },
	connectionsMoved: 12,
	downtime: [
		{ node: "n2", downtimeMs: 1_300, back: true },
		{ node: "n3", downtimeMs: 61_000, back: false },
	],
	canary: {
		...{ writes: 600, reads: 604, slow: 2, moves: 1, lostWrites: [] },
		failures: [
			{ kind: "write", at: "2026-01-02T03:04:09.000Z", reason: "503 <no> & |" },
		],
	},
	budgets: [
		{
			...{ budget: "max-failed", unit: "requests", limit: 0, measured: 3 },
			...{ exceeded: true, since: "2026-01-02T03:04:09.000Z" },
		},
		{
			...{ budget: "max-stall", unit: "ms", limit: 5_000, measured: 2_140 },
			...{ exceeded: false, since: null },
		},
	],
	overBudget: true,
};

export const failure: Outcome = {
	how: "failed",
	failure: {
		kind: "partial",
		message: "3 requests of the canary failed",
		problems: ['2026-01-02T03:04:09.000Z write: 503 "<no>" & |'],
		state: "stopped before n3/prove",
		next: "raftctl operation resume",
	},
};

/** A roll of two nodes that was stopped by a budget after the first. */
export function story(outcome: Outcome = failure): Story {
	const teller = new StoryTeller("rolling-restart", beganAt);
	const step = (id: string, title: string) => ({
		...{ id, title, cost: "" },
		node: id.slice(0, 2),
	});
	teller.observe({
		...{ type: "plan", operation: "rolling-restart" },
		steps: [
			step("n2/drain", "move its connections away"),
			step("n2/restart", "stop and start"),
			step("n3/drain", "move its connections away"),
		],
	});
	const n2 = { step: "n2/drain", node: "n2" };
	teller.observe({
		type: "step-started",
		...n2,
		title: "move its connections",
	});
	teller.observe({ type: "step-progress", ...n2, note: "3 left" });
	teller.observe({
		type: "step-finished",
		...n2,
		durationMs: 2_100,
		note: "3",
	});
	const restart = { step: "n2/restart", node: "n2" };
	teller.observe({ type: "step-started", ...restart, title: "stop and start" });
	teller.observe({ type: "step-failed", ...restart, reason: "it | <stays>" });
	teller.observe({ type: "warning", node: "n3", message: "`odd` & <b>" });
	teller.observe({ type: "cost", cost });
	return teller.tell(new Date(beganAt.getTime() + 12_345), outcome);
}
