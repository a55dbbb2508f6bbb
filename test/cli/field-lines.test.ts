import { describe, expect, it } from "vitest";
import { fieldLines } from "../../src/cli/field-lines.js";

describe("data for people", () => {
	it("is words and units, and says nothing of what is not there", () => {
		expect(
			fieldLines({
				...{ connectionsMoved: 3, longestStallMs: 1_234, wasVoter: true },
				...{ beganAtMs: Date.UTC(2026, 0, 2, 3, 4, 5), snapshot: null },
				...{ skipped: [], note: "", more: {} },
			}),
		).toEqual([
			...["connections moved: 3", "longest stall: 1.2 s", "was voter: yes"],
			"began at: 2026-01-02T03:04:05Z",
		]);
	});

	it("has no braces: lists behind commas, and what is nested with its names", () => {
		expect(
			fieldLines({
				voters: ["n1", "n2"],
				transfers: [
					{ from: "n1", to: "n2", durationMs: 35 },
					{ from: "n2", to: "n1", durationMs: 1_400 },
				],
				leaderless: { maxMs: 12, totalMs: 30 },
			}),
		).toEqual([
			"voters: n1, n2",
			"transfers: from n1, to n2, duration 35 ms; from n2, to n1, duration 1.4 s",
			"leaderless: max 12 ms, total 30 ms",
		]);
	});

	it("puts what is long below its name, a line each", () => {
		const process = "e292c61f-7bb9-442b-ac72-6b92f5dcaa61";
		const processes = { n1: process, n2: process, n3: process };
		expect(fieldLines({ processes })).toEqual([
			"processes:",
			...["n1", "n2", "n3"].map((id) => `  ${id}: ${process}`),
		]);
		const nodes = ["n1", "n2", "n3"].map((node) => ({ node, process }));
		expect(fieldLines({ nodes })).toEqual([
			"nodes:",
			...["n1", "n2", "n3"].map((id) => `  node ${id}, process ${process}`),
		]);
	});
});
