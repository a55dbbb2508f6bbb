import { describe, expect, it } from "vitest";
import { operationsText, operationText } from "../../src/cli/operation-text.js";
import type { OperationRecord } from "../../src/operations/journal/record.js";
import type { OperationView } from "../../src/operations/operations.js";

const beganAtMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const record: OperationRecord = {
	...{ version: 1, id: "t7k2mz-3f9a1c", operation: "replace-node" },
	...{ text: "replace-node n3 n4 --skip=snapshot", arguments: {} },
	memo: { incarnation: "a1b2", voters: ["n1", "n2", "n3"] },
	...{ skip: ["snapshot"], state: "stopped" },
	attempts: [
		{
			...{ as: "begin", holder: "ann@desk:7", host: "desk" },
			...{ atMs: beganAtMs, release: "0.1.0" },
		},
		{
			...{ as: "resume", holder: "ci@runner:9", host: "runner" },
			...{ atMs: beganAtMs + 60_000, release: "0.2.0" },
		},
	],
	plan: [
		{ id: "n4/join", title: "make n4 a learner", node: "n4", cost: "" },
		{ id: "n4/catch-up", title: "let n4 catch up", node: "n4", cost: "1 GiB" },
		{ id: "n3/remove", title: "promote and remove", node: "n3", cost: "" },
	],
	finished: ["n4/start", "n4/join"],
	step: "n4/catch-up",
	error: { kind: "timeout", message: "n4 did not catch up within 10 m" },
	report: null,
};

const cost = {
	...{ requests: null, failedRequests: null, slowestWriteMs: null },
	...{ longestStallMs: null, leaderlessMaxMs: 40, leaderlessTotalMs: 40 },
	...{ connectionsMoved: 3, canary: null, budgets: [], overBudget: false },
	downtime: [{ node: "n3", downtimeMs: 2_100, back: true }],
};

function view(changed: Partial<OperationRecord> = {}): OperationView {
	const changedRecord = { ...record, ...changed };
	const { id, state } = changedRecord;
	return {
		...{ id, state, pauseRequested: false, record: changedRecord },
		unfinished: ["running", "paused", "stopped"].includes(state),
		...{ beganAtMs, updatedAtMs: beganAtMs + 90_000 },
	};
}

describe("the text of the journal", () => {
	it("has one line for each operation: what, by whom, since when, how far", () => {
		const done = view({ id: "older", state: "done", step: null });
		const lines = operationsText([view(), done]).split("\n");
		expect(lines[0]).toMatch(/^ID +OPERATION +STATE +BY +BEGAN +STEP$/);
		expect(lines[1]).toMatch(
			/^t7k2mz-3f9a1c +replace-node n3 n4 --skip=snapshot +stopped +ci@runner:9 +2026-01-02T03:04:05Z +n4\/catch-up$/,
		);
		expect(lines[2]).toMatch(/^older .* done .* -$/);
		expect(lines).toHaveLength(3);
	});

	it("says so when it is empty", () => {
		expect(operationsText([])).toBe("the journal is empty");
	});

	it("shows also what a newer raftctl recorded", () => {
		const newer = { ...view(), record: null, state: "killed" } as const;
		expect(operationsText([newer])).toContain("of a newer raftctl");
		const text = operationText(newer);
		expect(text).toContain("cannot read");
		expect(text).toContain("not finished");
		expect(text).not.toContain("resume");
	});
});

describe("the text of one operation", () => {
	it("shows every attempt, the marked plan, what was remembered, and what is next", () => {
		expect(operationText(view()).split("\n")).toEqual([
			"replace-node n3 n4 --skip=snapshot (t7k2mz-3f9a1c)",
			"",
			"state     stopped, at n4/catch-up",
			"began     2026-01-02T03:04:05Z by ann@desk:7, raftctl 0.1.0",
			"resumed   2026-01-02T03:05:05Z by ci@runner:9, raftctl 0.2.0",
			"written   2026-01-02T03:05:35Z",
			"left out  snapshot",
			"error     n4 did not catch up within 10 m (timeout)",
			"",
			"         STEP         WHAT                COST",
			"done     n4/join      make n4 a learner",
			"here     n4/catch-up  let n4 catch up     1 GiB",
			"to come  n3/remove    promote and remove",
			"",
			"done before that plan:",
			"  n4/start",
			"",
			"remembered from before:",
			"  incarnation: a1b2",
			"  voters: n1, n2, n3",
			"",
			"next:",
			"  raftctl operation resume t7k2mz-3f9a1c goes on with it",
			"  raftctl operation abort t7k2mz-3f9a1c gives it up",
		]);
	});

	it("shows of a finished one what it did and what it cost, and no next command", () => {
		const report = {
			...{ operation: "replace-node", cluster: "orders", id: "t7k2mz-3f9a1c" },
			...{ changes: ["n4 joined", "n3 left"], skipped: [], durationMs: 61_000 },
			cost,
		};
		const text = operationText(
			view({ state: "done", step: null, error: null, report }),
		);
		expect(text).toContain(
			"what it did:\n  changes: n4 joined, n3 left\n  duration: 1 m 1 s\n",
		);
		expect(text).toContain(
			"what it cost:\n  without a leader 40 ms at most, 3 connections moved, n3 down 2.1 s",
		);
		expect(text).not.toMatch(/next:|operation resume|here|[{}"]/);
	});

	it("tells what was left out, as there was nothing to do, from what was not reached", () => {
		const marks = (changed: Partial<OperationRecord>) =>
			operationText(view(changed))
				.split("\n")
				.flatMap((line) => /^([a-z ]+?) {2,}n\d\//.exec(line)?.[1] ?? []);
		const skipped = ["n4/join"];
		const stopped = { finished: [], skipped };
		expect(marks(stopped)).toEqual(["skipped", "here", "to come"]);
		expect(marks({ ...stopped, state: "failed" })).toEqual([
			...["skipped", "failed", "not reached"],
		]);
		expect(marks({ state: "done", step: null })).toEqual([
			...["done", "skipped", "skipped"],
		]);
		// A record of a release that did not keep them.
		expect(marks({})).toEqual(["done", "here", "to come"]);
	});

	it("of one under way offers to pause it, once", () => {
		const running = view({ state: "running", error: null });
		expect(operationText(running)).toContain("operation pause");
		const asked = operationText({ ...running, pauseRequested: true });
		expect(asked).toContain("running, asked to pause");
		expect(asked).not.toContain("next:");
	});

	it("of one whose operator was killed says how to go on", () => {
		const killed = { ...view({ state: "running" }), state: "killed" } as const;
		expect(operationText(killed)).toMatch(/state +killed, at n4\/catch-up/);
		expect(operationText(killed)).toContain("operation resume");
	});

	it("keeps what is very long out of the way", () => {
		const memo = { everything: "x".repeat(5000) };
		const lines = operationText(view({ memo })).split("\n");
		expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(200);
	});
});
