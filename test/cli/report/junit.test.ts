import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { junitReport } from "../../../src/cli/report-junit.js";
import type { Story } from "../../../src/cli/report-story.js";
import { failure, story } from "./story.js";
import { type Element, parseXml } from "./xml.js";

function suiteOf(told: Story): Element {
	const root = parseXml(junitReport(told, "ci-7"));
	expect(root).toMatchObject({ name: "testsuites", attributes: {} });
	expect(root.children).toHaveLength(1);
	return root.children[0] as Element;
}

function cases(suite: Element): readonly Element[] {
	return suite.children.filter(({ name }) => name === "testcase");
}

/** What Ant's schema and Jenkins' ask for, in the order in which the former does. */
function expectValid(suite: Element): void {
	expect(suite.name).toBe("testsuite");
	const order = suite.children.map(({ name }) => name);
	expect(order[0]).toBe("properties");
	expect(order.slice(-2)).toEqual(["system-out", "system-err"]);
	expect(new Set(order.slice(1, -2))).toEqual(new Set(["testcase"]));
	const { attributes } = suite;
	expect(Object.keys(attributes).sort()).toEqual([
		...["errors", "failures", "hostname", "id", "name", "package"],
		...["skipped", "tests", "time", "timestamp"],
	]);
	expect(attributes.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
	expect(attributes.time).toMatch(/^\d+\.\d{3}$/);
	const endings = cases(suite).map(({ children }) => children[0]?.name);
	const count = (name: string) =>
		String(endings.filter((one) => one === name).length);
	expect(attributes).toMatchObject({
		tests: String(endings.length),
		...{ failures: count("failure"), errors: count("error") },
		skipped: count("skipped"),
	});
	for (const { attributes: own, children } of cases(suite)) {
		expect(Object.keys(own).sort()).toEqual(["classname", "name", "time"]);
		expect(own.time).toMatch(/^\d+\.\d{3}$/);
		expect(children.length).toBeLessThanOrEqual(1);
		for (const ending of children)
			expect(Object.keys(ending.attributes).sort()).toEqual(
				ending.name === "skipped" ? ["message"] : ["message", "type"],
			);
	}
}

describe("the JUnit report", () => {
	it("has a test case for each step, each budget and the whole, in the common layout", () => {
		const suite = suiteOf(story());
		expectValid(suite);
		const shown = cases(suite).map(({ attributes, children }) => [
			...[attributes.name, children[0]?.name ?? "passed"],
			children[0]?.attributes.message ?? "",
		]);
		expect(shown).toEqual([
			["n2/drain: move its connections", "passed", ""],
			["n2/restart: stop and start", "failure", "it | <stays>"],
			["n3/drain: move its connections away", "skipped", "not begun"],
			[
				...["--max-failed 0", "failure"],
				"measured 3 from 2026-01-02T03:04:09.000Z on",
			],
			["--max-stall 5.0 s", "passed", ""],
			[
				...["the operation as a whole", "error"],
				"3 requests of the canary failed",
			],
		]);
		const whole = cases(suite).at(-1)?.children[0];
		expect(whole?.attributes.type).toBe("partial");
		expect(whole?.text).toContain("Next: raftctl operation resume");
	});

	it("has as properties what a dashboard collects", () => {
		const [properties] = suiteOf(story()).children;
		const known = Object.fromEntries(
			(properties?.children ?? []).map(({ attributes }) => [
				...[attributes.name, attributes.value],
			]),
		);
		expect(known).toMatchObject({
			...{ failedRequests: "3", longestStallMs: "2140", slowRequests: "2" },
			...{ "downtimeMs.n2": "1300", lostWrites: "0" },
		});
	});

	it("says of one that went well that all passed", () => {
		const suite = suiteOf(story({ how: "done" }));
		expectValid(suite);
		expect(cases(suite).at(-1)?.children).toEqual([]);
	});

	it("says of one that was killed that it did not end", () => {
		const suite = suiteOf(story({ how: "running" }));
		expectValid(suite);
		expect(cases(suite).at(-1)?.children[0]).toMatchObject({
			...{ name: "error", attributes: { type: "unended" } },
		});
	});

	it("stays well-formed and keeps every word, whatever an error says", () => {
		const text = fc.string({ unit: "binary", maxLength: 60 });
		const illegal =
			/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
		fc.assert(
			fc.property(text, text, text, (message, problem, warning) => {
				if (failure.how !== "failed") return;
				const told: Story = {
					...story({
						how: "failed",
						failure: { ...failure.failure, message, problems: [problem] },
					}),
					warnings: [warning],
				};
				const suite = suiteOf(told);
				expectValid(suite);
				const whole = cases(suite).at(-1)?.children[0];
				expect(whole?.attributes.message).toBe(
					message.replace(illegal, "\uFFFD"),
				);
				expect(suite.children.at(-2)?.text).toBe(
					warning.replace(illegal, "\uFFFD"),
				);
			}),
			{ numRuns: 30 },
		);
	});
});
