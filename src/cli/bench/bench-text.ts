import type {
	BenchReport,
	BenchResult,
	BenchRun,
	Latencies,
} from "../../operations/bench/result.js";
import { textTable } from "../text-table.js";
import { numberText } from "./axis.js";
import { plotText } from "./plot-text.js";

const plotWidth = 78;
const plotHeight = 16;

/** What was measured, for people. */
export function benchText(report: BenchReport): string {
	const { results, load } = report;
	const rows = results.flatMap((result) =>
		result.runs.flatMap((run) => rowsOf(result, run, load.reads)),
	);
	const head = [
		...["system", "load", "done/s", "MB/s", "p50 ms", "p90 ms", "p99 ms"],
		...["p99.9 ms", "max ms", "failed"],
	];
	return [
		...(rows.length === 0
			? ["Nothing was measured."]
			: [textTable(head, rows)]),
		...(load.mode === "sweep" ? results.flatMap(sweepPlot) : []),
		...notes(report),
	].join("\n");
}

function rowsOf(
	{ system }: BenchResult,
	run: BenchRun,
	reads: number,
): string[][] {
	const row = (name: string, latency: Latencies, isWhole: boolean) => [
		...[isWhole ? system : "", name],
		isWhole ? numberText(Math.round(run.perSecond)) : "",
		isWhole ? (run.bytesPerSecond / 1e6).toFixed(1) : "",
		...[latency.p50Ms, latency.p90Ms, latency.p99Ms].map(ms),
		...[latency.p999Ms, latency.maxMs].map(ms),
		isWhole ? numberText(run.failed) : "",
	];
	const { writes, reads: read, service, latency } = run;
	const isMixed = reads > 0 && reads < 1;
	return [
		row(loadText(run), latency, true),
		...(isMixed && writes !== null ? [row("  writes", writes, false)] : []),
		...(isMixed && read !== null ? [row("  reads", read, false)] : []),
		...(service !== null ? [row("  once sent", service, false)] : []),
	];
}

export function loadText({ loop }: Pick<BenchRun, "loop">): string {
	return loop.mode === "closed"
		? `${numberText(loop.clients)} ${loop.clients === 1 ? "client" : "clients"}`
		: `${numberText(loop.perSecond)}/s`;
}

function sweepPlot({ system, runs }: BenchResult): string[] {
	const steps = runs.filter(({ loop }) => loop.mode === "open");
	if (steps.length === 0) return [];
	const points = (pick: (latency: Latencies) => number) =>
		steps.map(({ perSecond, latency }) => [perSecond, pick(latency)] as const);
	return [
		"",
		plotText({
			title: `${system}, ms`,
			xLabel: "requests answered a second",
			width: plotWidth,
			height: plotHeight,
			series: [
				{ name: "p99.9", mark: "*", points: points(({ p999Ms }) => p999Ms) },
				{ name: "p99", mark: "x", points: points(({ p99Ms }) => p99Ms) },
				{ name: "p50", mark: "o", points: points(({ p50Ms }) => p50Ms) },
			],
		}),
		"",
	];
}

function notes(report: BenchReport): string[] {
	const { results, compared, keys, interrupted } = report;
	const remarks = results.flatMap(({ system, runs }) =>
		runs.flatMap((run) =>
			run.remarks.map((remark) => `${system}, ${loadText(run)}: ${remark}`),
		),
	);
	return [
		...(compared === null
			? []
			: [
					`${compared.of} over ${compared.to}: ${compared.perSecond.toFixed(2)} × the rate, ${compared.p50.toFixed(2)} × the p50, ${compared.p99.toFixed(2)} × the p99`,
				]),
		...remarks.map((remark) => `Note: ${remark}.`),
		...(interrupted ? ["Interrupted: this is what was measured so far."] : []),
		...(keys.removed > 0
			? [`Removed ${numberText(keys.removed)} keys below ${keys.prefix}`]
			: []),
		...keys.left.map(
			(system) => `The keys below ${keys.prefix} are still in ${system}.`,
		),
	];
}

/** Three digits are enough, and as many as are known. */
function ms(value: number): string {
	return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
