import { describe, expect, it } from "vitest";
import { runBatch } from "./batch.js";
import { type BrokenRule, brokenRules } from "./broken.js";

/** By which rules each shows. */
const caughtBy: Record<BrokenRule, readonly string[]> = {
	"clock-drift": ["stale-read", "lease"],
	"lease-check": ["stale-read"],
	incarnation: [
		"durable-votes",
		"match-durable",
		"commit-durable",
		"joint-quorum",
	],
	"level-rule": ["unreadable-entry"],
};

/** A guard against a run that never ends; on a busy machine a batch takes its time. */
const timeoutMs = 300_000;

describe("what the core relies on, left out", () => {
	it.each(Object.keys(brokenRules) as BrokenRule[])(
		"shows: %s",
		(broken) => {
			const { failed } = runBatch(1, 400, { steps: 10_000, broken });
			expect(caughtBy[broken]).toContain(failed?.failure?.invariant);
		},
		timeoutMs,
	);
});
