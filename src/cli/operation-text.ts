import type { OperationCost } from "../operations/cost/cost.js";
import type { OperationRecord } from "../operations/journal/record.js";
import type { OperationView } from "../operations/operations.js";
import { fieldLines } from "./field-lines.js";
import { budgetLines, costText } from "./report-cost.js";
import { textTable } from "./text-table.js";

/** The journal for people, newest first. */
export function operationsText(operations: readonly OperationView[]): string {
	if (operations.length === 0) return "the journal is empty";
	return textTable(
		["ID", "OPERATION", "STATE", "BY", "BEGAN", "STEP"],
		operations.map((view) => {
			const { id, beganAtMs, record } = view;
			return [
				id,
				record?.text ?? "of a newer raftctl",
				stateOf(view),
				record?.attempts.at(-1)?.holder ?? "-",
				timeText(beganAtMs),
				record?.step ?? "-",
			];
		}),
	);
}

/** One operation for people: who had it in hand, how far it came, what went wrong, what it cost, and what is next. */
export function operationText(view: OperationView): string {
	const { id, beganAtMs, updatedAtMs, record } = view;
	if (record === null)
		return [
			`${id} was recorded by a newer raftctl, which this one cannot read`,
			`began  ${timeText(beganAtMs)}`,
			`state  ${view.unfinished ? "not finished" : "finished"}`,
		].join("\n");
	const at = record.step === null ? "" : `, at ${record.step}`;
	const facts = [
		["state", `${stateOf(view)}${at}`],
		...record.attempts.map(({ as, holder, atMs, release }) => [
			attemptWords[as],
			`${timeText(atMs)} by ${holder}, raftctl ${release}`,
		]),
		["written", timeText(updatedAtMs)],
		...(record.skip.length === 0 ? [] : [["left out", record.skip.join(", ")]]),
		...(record.error === null
			? []
			: [["error", `${record.error.message} (${record.error.kind})`]]),
	];
	return [
		`${record.text} (${id})`,
		"",
		textTable(facts[0] ?? [], facts.slice(1)),
		...planLines(view),
		...section("remembered from before", fieldLines(record.memo)),
		...section("what it did", fieldLines(deedsOf(record))),
		...section("what it cost", costLines(record)),
		...section("next", nextCommands(view)),
	].join("\n");
}

/** What goes on from an operation in this state, as commands; empty when there is nothing to do. */
function nextCommands({
	id,
	state,
	unfinished,
	pauseRequested,
}: OperationView): readonly string[] {
	if (!unfinished) return [];
	if (state === "running")
		return pauseRequested
			? []
			: [`raftctl operation pause ${id} stops it after the step in hand`];
	return [
		`raftctl operation resume ${id} goes on with it`,
		`raftctl operation abort ${id} gives it up`,
	];
}

const attemptWords = {
	begin: "began",
	resume: "resumed",
	abort: "given up",
} as const;

function stateOf({ state, pauseRequested }: OperationView): string {
	return state === "running" && pauseRequested
		? "running, asked to pause"
		: state;
}

function planLines({ record, unfinished }: OperationView): readonly string[] {
	if (record === null) return [];
	const { plan, finished } = record;
	const earlier = finished.filter((id) => !plan.some((one) => one.id === id));
	const rows = plan.map(({ id, title, cost }) => [
		...[markOf(id, record, unfinished), id, title, cost],
	]);
	return [
		...(rows.length === 0
			? []
			: ["", textTable(["", "STEP", "WHAT", "COST"], rows)]),
		// A plan that was made anew names only what was left then.
		...section("done before that plan", [...new Set(earlier)]),
	];
}

/** Of an operation that is done, a step that was not run had nothing to do, also when it was planned anew without it. */
function markOf(
	id: string,
	{ finished, skipped = [], state, step }: OperationRecord,
	unfinished: boolean,
): string {
	if (finished.includes(id)) return "done";
	if (skipped.includes(id) || state === "done") return "skipped";
	if (!unfinished) return id === step ? "failed" : "not reached";
	return id === step ? "here" : "to come";
}

/** What its report has beside what is said above: the cost is a section of its own. */
function deedsOf({ report }: OperationRecord): object {
	const said = ["operation", "cluster", "id", "dryRun", "plan", "cost"];
	const entries = Object.entries(report ?? {});
	return Object.fromEntries(entries.filter(([name]) => !said.includes(name)));
}

function costLines({ report }: OperationRecord): readonly string[] {
	const { cost } = (report ?? {}) as { readonly cost?: OperationCost };
	return cost === undefined ? [] : [costText(cost), ...budgetLines(cost)];
}

/** To the second: a journal is read, not measured. */
function timeText(ms: number): string {
	return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

function section(title: string, lines: readonly string[]): readonly string[] {
	return lines.length === 0
		? []
		: ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}
