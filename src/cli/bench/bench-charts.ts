import type {
	BenchReport,
	BenchResult,
	BenchRun,
	Latencies,
} from "../../operations/bench/result.js";
import { loadText } from "./bench-text.js";
import type { Chart, ChartLine } from "./chart-svg.js";

const tails = [
	["p50", ({ p50Ms }: Latencies) => p50Ms],
	["p99", ({ p99Ms }: Latencies) => p99Ms],
	["p99.9", ({ p999Ms }: Latencies) => p999Ms],
] as const;

/** The charts that show what was measured: latency against rate, its distribution, and its course. */
export function benchCharts({ results, load }: BenchReport): Chart[] {
	const sweeps = load.mode === "sweep" ? results.map(againstRate) : [];
	const measured = results.filter(({ runs }) => runs.length > 0);
	return [
		...sweeps.filter(({ lines }) => lines.length > 0),
		...(measured.length === 0 ? [] : [distribution(measured)]),
		...(load.mode === "sweep"
			? []
			: measured.flatMap(({ system, runs }) => course(system, runs))),
	];
}

function againstRate({ system, runs }: BenchResult): Chart {
	const steps = runs.filter(({ loop }) => loop.mode === "open");
	return {
		title: `${system}: latency against rate`,
		xLabel: "requests answered a second",
		yLabel: "ms",
		...{ xScale: "linear" as const, yScale: "log" as const },
		lines:
			steps.length === 0
				? []
				: tails.map(([name, pick]) => ({
						name,
						points: steps.map(({ perSecond, latency }) => [
							perSecond,
							pick(latency),
						]),
					})),
	};
}

/** One line for each run; of a sweep the peak and the steps in its middle and at its end. */
function distribution(results: readonly BenchResult[]): Chart {
	return {
		title: "How many requests took how long",
		xLabel: "share of the requests",
		yLabel: "ms",
		...{ xScale: "tail" as const, yScale: "log" as const },
		lines: results.flatMap(({ system, runs }) =>
			telling(runs).map(
				(run): ChartLine => ({
					name: `${system}, ${loadText(run)}`,
					points: run.percentiles,
				}),
			),
		),
	};
}

function telling(runs: readonly BenchRun[]): readonly BenchRun[] {
	if (runs.length <= 3) return runs;
	const places = [0, Math.floor(runs.length / 2), runs.length - 1];
	return places.map((at) => runs[at] as BenchRun);
}

function course(system: string, runs: readonly BenchRun[]): Chart[] {
	const [run] = runs;
	if (run === undefined || run.series.length < 2) return [];
	const over = (pick: (second: BenchRun["series"][number]) => number) =>
		run.series.map((second) => [second.atSeconds, pick(second)] as const);
	const shape = { xLabel: "seconds", xScale: "linear" as const };
	return [
		{
			...{ title: `${system}: requests answered a second`, ...shape },
			...{ yLabel: "", yScale: "linear" as const },
			lines: [{ name: "done", points: over(({ perSecond }) => perSecond) }],
		},
		{
			...{ title: `${system}: latency of each second`, ...shape },
			...{ yLabel: "ms", yScale: "log" as const },
			lines: [
				{ name: "p50", points: over(({ p50Ms }) => p50Ms) },
				{ name: "p99", points: over(({ p99Ms }) => p99Ms) },
				{ name: "max", points: over(({ maxMs }) => maxMs) },
			],
		},
	];
}
