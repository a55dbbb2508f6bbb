import { describe, expect, it } from "vitest";
import { markdownReport } from "../../../src/cli/report-markdown.js";
import { cost, story } from "./story.js";

describe("the Markdown report", () => {
	it("tells outcome, cost, budgets, steps and what failed", async () => {
		await expect(markdownReport(story())).toMatchFileSnapshot("report.golden");
	});

	it("says plainly where no canary ran", () => {
		const none = { requests: null, failedRequests: null, canary: null };
		const unwatched = {
			...{ ...cost, ...none, slowestWriteMs: null, longestStallMs: null },
			...{ budgets: [], overBudget: false },
		};
		const text = markdownReport({
			...story({ how: "done" }),
			cost: unwatched,
		});
		expect(text).toContain("| failed requests | no canary ran |");
		expect(text).toContain("**Done.**");
		expect(text).not.toContain("## Budgets");
	});

	it("keeps one row a step, and nothing of it as markup, whatever a note says", () => {
		const [step] = story().steps;
		if (step === undefined) throw new Error("a story without steps");
		const note = "a\n| b | <script> `x` **y** [z](http://e)";
		const text = markdownReport({ ...story(), steps: [{ ...step, note }] });
		const rows = text.split("\n").filter((line) => line.includes("script"));
		expect(rows).toHaveLength(1);
		expect(rows[0]?.split(/(?<!\\)\|/)).toHaveLength(8);
		expect(rows[0]).not.toMatch(/<script|[^\\]`|[^\\]\*|[^\\]\[/);
	});
});
