import { describe, expect, it } from "vitest";
import { limitNames } from "../../src/config/engine.js";
import { parseInventory } from "../../src/config/load.js";
import { defaultLimits, limitsFrom } from "../../src/daemon/engine/limits.js";
import { OperatorError } from "../../src/errors.js";

function parse(...lines: readonly string[]) {
	const text = ["name: demo", "id: demo-1", "nodes: [n1, n2, n3]", ...lines];
	const wish = { source: "cluster.yaml", directory: "/clusters" };
	return parseInventory(`${text.join("\n")}\n`, wish);
}

function problemsOf(...lines: readonly string[]): readonly string[] {
	try {
		parse(...lines);
	} catch (error) {
		if (error instanceof OperatorError) return error.problems;
		throw error;
	}
	return [];
}

describe("the limits of the cluster file", () => {
	it("are those that raftd knows", () => {
		expect([...limitNames].sort()).toEqual(Object.keys(defaultLimits).sort());
	});

	it.each(limitNames)("take what raftd takes as %s, and no more", (name) => {
		const most = 8 * 1024 * 1024;
		for (const value of [1, most, most + 1]) {
			const isTaken = problemsOf("limits:", `  ${name}: ${value}`).length === 0;
			const start = () => limitsFrom({ [name]: value });
			if (isTaken) expect(start).not.toThrow();
			else expect(start).toThrow();
		}
	});

	it("are named with their place when they are mistyped, or no whole numbers above 0", () => {
		expect(
			problemsOf("limits:", "  maxLogByte: 5", "  maxEvents: 0", "  nope: 1"),
		).toEqual([
			expect.stringMatching(
				/^cluster\.yaml:5:\d+ limits\.maxLogByte is no limit of a node; did you mean maxLogBytes\?/,
			),
			expect.stringMatching(/^cluster\.yaml:6:\d+ limits\.maxEvents must be/),
			expect.stringMatching(/^cluster\.yaml:7:\d+ limits\.nope is no limit/),
		]);
	});
});

describe("the log of the cluster file", () => {
	it("has a level that raftd knows", () => {
		expect(parse().log).toEqual({ level: "info" });
		expect(parse("log: { level: debug }").log).toEqual({ level: "debug" });
		expect(problemsOf("log: { level: loud }")).toEqual([
			expect.stringContaining("log.level must be"),
		]);
	});
});
