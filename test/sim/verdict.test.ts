import { describe, expect, it } from "vitest";
import type { BatchResult } from "./batch.js";
import {
	type Coverage,
	coverageSeeds,
	coverageSteps,
	emptyCoverage,
} from "./coverage.js";
import { judge } from "./verdict.js";

const everything = Object.fromEntries(
	Object.keys(emptyCoverage()).map((name) => [name, 1]),
) as Coverage;

function batch(own: Partial<BatchResult> = {}): BatchResult {
	return {
		...{ seeds: coverageSeeds, steps: coverageSteps },
		...{ coverage: everything, failed: null },
		...own,
	};
}

describe("the verdict on a batch", () => {
	it("passes a big batch in which everything happened", () => {
		expect(judge(batch())).toEqual({ exitCode: 0, judged: true, remarks: [] });
	});

	it("fails a big batch in which something never happened, and names it", () => {
		for (const name of Object.keys(everything)) {
			const coverage = { ...everything, [name]: 0 };
			expect(judge(batch({ coverage }))).toEqual({
				exitCode: 1,
				judged: true,
				remarks: [`never happened in ${coverageSeeds} seeds: ${name}`],
			});
		}
	});

	it("says of a small batch that its coverage was not judged", () => {
		const coverage = emptyCoverage();
		expect(judge(batch({ coverage, seeds: coverageSeeds - 1 }))).toEqual({
			exitCode: 0,
			judged: false,
			remarks: [
				`coverage not judged: ${coverageSeeds - 1} seeds and ${coverageSteps} steps are too few`,
			],
		});
		const short = batch({ coverage, steps: coverageSteps - 1 });
		expect(judge(short)).toMatchObject({ exitCode: 0, judged: false });
	});

	it("fails a batch that broke a rule, however small", () => {
		const failure = { invariant: "x", message: "x", trace: [], nodes: [] };
		const failed = { seed: 1, steps: 1, coverage: everything, failure };
		expect(judge(batch({ seeds: 1, steps: 1, failed }))).toEqual({
			exitCode: 1,
			judged: false,
			remarks: [],
		});
	});
});
