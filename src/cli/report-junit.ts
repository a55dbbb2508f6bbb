import type { BudgetVerdict } from "../operations/canary/budgets.js";
import { amountText } from "./report-cost.js";
import type { StepStory, Story } from "./report-story.js";

/** A check as CI systems count them. */
interface TestCase {
	readonly name: string;
	readonly classname: string;
	readonly durationMs: number;
	readonly result:
		| { readonly how: "passed" }
		| { readonly how: "skipped"; readonly message: string }
		| {
				readonly how: "failure" | "error";
				readonly type: string;
				readonly message: string;
				readonly details: string;
		  };
}

/**
 * JUnit XML as CI systems read it: one test case for each step, each budget, and the operation as a whole, which fails
 * with the operation's own error.
 */
export function junitReport(story: Story, hostname: string): string {
	const { command, beganAt, durationMs, warnings, cost } = story;
	const name = `raftctl.${command.replaceAll(" ", ".")}`;
	const cases = [
		...story.steps.map((step) => stepCase(name, step, story)),
		...(cost?.budgets ?? []).map((budget) => budgetCase(name, budget)),
		wholeCase(name, story),
	];
	const count = (how: TestCase["result"]["how"]) =>
		cases.filter(({ result }) => result.how === how).length;
	const suite = attributes({
		...{ name, package: name, id: 0, hostname },
		timestamp: beganAt.toISOString().slice(0, 19),
		...{ tests: cases.length, failures: count("failure") },
		...{ errors: count("error"), skipped: count("skipped") },
		time: seconds(durationMs),
	});
	return [
		'<?xml version="1.0" encoding="UTF-8"?>',
		"<testsuites>",
		`\t<testsuite${suite}>`,
		"\t\t<properties>",
		...Object.entries(propertiesOf(story)).map(
			([key, value]) => `\t\t\t<property${attributes({ name: key, value })}/>`,
		),
		"\t\t</properties>",
		...cases.flatMap(caseLines),
		`\t\t<system-out>${escaped(warnings.join("\n"))}</system-out>`,
		"\t\t<system-err></system-err>",
		"\t</testsuite>",
		"</testsuites>",
		"",
	].join("\n");
}

/** What it did cost, flat: numbers as a dashboard collects them. */
function propertiesOf({ cost }: Story): Record<string, string | number> {
	if (cost === null) return {};
	const { downtime, canary } = cost;
	const known = Object.entries(cost).filter(
		(entry): entry is [string, number] => typeof entry[1] === "number",
	);
	return {
		...Object.fromEntries(known),
		...Object.fromEntries(
			downtime.map(({ node, downtimeMs }) => [
				`downtimeMs.${node}`,
				downtimeMs,
			]),
		),
		...(canary === null
			? {}
			: { slowRequests: canary.slow, lostWrites: canary.lostWrites.length }),
	};
}

function stepCase(
	classname: string,
	{ id, title, state, note, durationMs }: StepStory,
	{ outcome }: Story,
): TestCase {
	const base = { classname, name: `${id}: ${title}`, durationMs };
	switch (state) {
		case "done":
			return { ...base, result: { how: "passed" } };
		case "skipped":
			return { ...base, result: { how: "skipped", message: note } };
		case "planned":
			return { ...base, result: { how: "skipped", message: "not begun" } };
		case "running":
			return { ...base, result: failed("failure", "unended", "not ended", "") };
		case "failed": {
			const type = outcome.how === "failed" ? outcome.failure.kind : "failed";
			return { ...base, result: failed("failure", type, note, "") };
		}
	}
}

function budgetCase(classname: string, verdict: BudgetVerdict): TestCase {
	const { budget, exceeded, limit, measured, since } = verdict;
	const from = since === null ? "" : ` from ${since} on`;
	return {
		...{ classname: `${classname}.budgets`, durationMs: 0 },
		name: `--${budget} ${amountText(verdict, limit)}`,
		result: exceeded
			? failed(
					...(["failure", "over-budget"] as const),
					`measured ${amountText(verdict, measured)}${from}`,
					"",
				)
			: { how: "passed" },
	};
}

function wholeCase(classname: string, { outcome, cost }: Story): TestCase {
	const base = { classname, name: "the operation as a whole", durationMs: 0 };
	const lost = cost?.canary?.lostWrites ?? [];
	if (outcome.how === "running")
		return {
			...base,
			result: failed("error", "unended", "raftctl did not end it", ""),
		};
	if (outcome.how === "done")
		return lost.length === 0
			? { ...base, result: { how: "passed" } }
			: {
					...base,
					result: failed(
						...(["failure", "lost-write", "a write was lost"] as const),
						lost.join("\n"),
					),
				};
	const { kind, message, node, problems = [], state, next } = outcome.failure;
	const details = [
		...(node === undefined ? [] : [`Node: ${node}`]),
		...problems,
		...(state === undefined ? [] : [`State: ${state}`]),
		...(next === undefined ? [] : [`Next: ${next}`]),
	];
	return {
		...base,
		result: failed("error", kind, message, details.join("\n")),
	};
}

function failed(
	how: "failure" | "error",
	type: string,
	message: string,
	details: string,
): TestCase["result"] {
	return { how, type, message, details };
}

function caseLines({
	name,
	classname,
	durationMs,
	result,
}: TestCase): string[] {
	const head = `\t\t<testcase${attributes({ name, classname, time: seconds(durationMs) })}`;
	if (result.how === "passed") return [`${head}/>`];
	const { how, message } = result;
	const inner =
		how === "skipped"
			? `<skipped${attributes({ message })}/>`
			: `<${how}${attributes({ message, type: result.type })}>${escaped(result.details)}</${how}>`;
	return [`${head}>`, `\t\t\t${inner}`, "\t\t</testcase>"];
}

function seconds(ms: number): string {
	return (Math.max(0, ms) / 1000).toFixed(3);
}

function attributes(values: Record<string, string | number>): string {
	return Object.entries(values)
		.map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
		.join("");
}

const entities: Readonly<Record<string, string>> = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"\n": "&#10;",
	"\t": "&#9;",
	"\r": "&#13;",
};

/** What XML 1.0 cannot hold at all, control characters and halves of pairs, becomes U+FFFD. */
function escaped(value: string): string {
	return value
		.replace(
			/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu,
			"\uFFFD",
		)
		.replace(/[&<>"\n\t\r]/g, (found) => entities[found] ?? found);
}
