import type { OperationCost } from "../operations/cost/cost.js";
import { durationText } from "./progress/duration.js";
import { amountText } from "./report-cost.js";
import type { Story } from "./report-story.js";

/** For people, and for the summary page of a pipeline. */
export function markdownReport(story: Story): string {
	const { command, beganAt, durationMs, steps, warnings, cost } = story;
	return [
		`# raftctl ${text(command)}`,
		`${outcomeText(story)} It began at ${beganAt.toISOString()} and took ${durationText(durationMs)}.`,
		...failureLines(story),
		...(cost === null ? [] : costSection(cost)),
		...section(
			"Steps",
			table(
				["step", "node", "what", "state", "took", "note"],
				steps.map((step) => [
					...[step.id, step.node ?? "", step.title, step.state],
					step.state === "done" ? durationText(step.durationMs) : "",
					step.note,
				]),
			),
		),
		...section("Warnings", list(warnings)),
		"",
	].join("\n\n");
}

function outcomeText({ outcome }: Story): string {
	switch (outcome.how) {
		case "done":
			return "**Done.**";
		case "failed":
			return `**Failed** (${outcome.failure.kind}): ${text(outcome.failure.message)}.`;
		case "running":
			return "**Not ended.** raftctl was killed, or is still at it.";
	}
}

function failureLines({ outcome }: Story): string[] {
	if (outcome.how !== "failed") return [];
	const { node, problems = [], state, next } = outcome.failure;
	const facts = [
		...(node === undefined ? [] : [`- Node: ${text(node)}`]),
		...problems.map((problem) => `- ${text(problem)}`),
		...(state === undefined ? [] : [`- State: ${text(state)}`]),
		...(next === undefined ? [] : [`- Next: ${text(next)}`]),
	];
	return facts.length === 0 ? [] : [facts.join("\n")];
}

function costSection(cost: OperationCost): string[] {
	const { canary, budgets } = cost;
	return [
		"## Cost",
		table(["what", "measured"], costRows(cost)),
		...section(
			"Budgets",
			table(
				["budget", "limit", "measured", "kept"],
				budgets.map((one) => [
					...[`--${one.budget}`, amountText(one, one.limit)],
					...[amountText(one, one.measured), one.exceeded ? "**no**" : "yes"],
				]),
			),
		),
		...section("Lost writes", list(canary?.lostWrites ?? [])),
		...section(
			"Failed requests",
			list(
				(canary?.failures ?? []).map(
					({ at, kind, reason }) => `${at} ${kind}: ${reason}`,
				),
			),
		),
	];
}

function costRows(cost: OperationCost): string[][] {
	const { requests, failedRequests, canary } = cost;
	const orNone = (ms: number | null) =>
		ms === null ? "no canary ran" : durationText(ms);
	return [
		[
			"failed requests",
			requests === null
				? "no canary ran"
				: `${failedRequests} of ${requests}, ${canary?.slow ?? 0} slow`,
		],
		["slowest write", orNone(cost.slowestWriteMs)],
		["longest time between two writes", orNone(cost.longestStallMs)],
		["longest time without a leader", durationText(cost.leaderlessMaxMs)],
		["without a leader in all", durationText(cost.leaderlessTotalMs)],
		["connections moved", String(cost.connectionsMoved)],
		...cost.downtime.map(({ node, downtimeMs, back }) => [
			`${node} was down`,
			`${durationText(downtimeMs)}${back ? "" : ", and is not back"}`,
		]),
	];
}

function section(title: string, body: string): string[] {
	return body === "" ? [] : [`## ${title}`, body];
}

function list(lines: readonly string[]): string {
	return lines.map((line) => `- ${text(line)}`).join("\n");
}

function table(
	heads: readonly string[],
	rows: readonly (readonly string[])[],
): string {
	if (rows.length === 0) return "";
	const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
	return [
		line(heads),
		line(heads.map(() => "---")),
		...rows.map((row) => line(row.map(cell))),
	].join("\n");
}

/** Emphasis is the report's own; anything else is shown as it is. */
function cell(value: string): string {
	return value === "**no**" ? value : text(value).replaceAll("|", "\\|");
}

/** One line of text: nothing in it is markup. */
function text(value: string): string {
	return value
		.replaceAll(/[\s\p{Cc}]+/gu, " ")
		.replaceAll(/[\\`*_[\]#~]/g, "\\$&")
		.replaceAll("&", "&amp;")
		.replaceAll("<", "&lt;");
}
