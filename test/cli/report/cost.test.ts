import { describe, expect, it } from "vitest";
import { costText } from "../../../src/cli/report-cost.js";
import { cost } from "./story.js";

describe("the line that ends an operation's progress", () => {
	it("says what it cost", () => {
		expect(costText(cost)).toBe(
			"3 of 1204 requests failed, slowest write 83 ms, longest stall 2.1 s, without a leader 940 ms at most, 12 connections moved, n2 down 1.3 s, n3 down 1 m 1 s and not back",
		);
	});

	it("names nothing that was not measured or did not happen", () => {
		const quiet = {
			...{ ...cost, requests: null, canary: null, downtime: [] },
			...{ connectionsMoved: 0, leaderlessMaxMs: 0 },
		};
		expect(costText(quiet)).toBe("without a leader 0 ms at most");
	});

	it("begins with a write that was lost", () => {
		const canary = cost.canary && { ...cost.canary, lostWrites: ["write 7"] };
		expect(costText({ ...cost, canary })).toMatch(/^WRITES LOST: 1, 3 of 1204/);
	});
});
