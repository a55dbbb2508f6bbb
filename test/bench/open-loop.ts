import type { BenchReport } from "../../src/operations/bench/result.js";
import { type Figure, rounded, type Settings } from "./figures.js";
import { runRaftctl, withCluster } from "./raftd.js";

const clients = 256;
const peakSeconds = 10;
const share = 0.7;
const openSeconds = 60;

/** An open loop at 70 % of the peak, by the tool that users have: latency counts from when each write was due. */
export function openLoopFigures({ scale }: Settings): Promise<Figure[]> {
	return withCluster({ portBase: 16_700 }, async ({ directory }) => {
		const bench = (flags: readonly string[]) => {
			const argv = ["bench", "--yes", "--json", "--keys", "100000", ...flags];
			const report: BenchReport = JSON.parse(runRaftctl(directory, argv));
			const run = report.results[0]?.runs[0];
			if (run === undefined) throw new Error("bench measured nothing");
			return run;
		};
		const seconds = (count: number) => `${Math.max(1, count * scale)}s`;
		const peak = bench([
			...["--clients", `${clients}`, "--duration", seconds(peakSeconds)],
		]);
		const rate = Math.round(peak.perSecond * share);
		const open = bench([
			...["--rate", `${rate}`, "--duration", seconds(openSeconds)],
		]);
		const { p50Ms, p99Ms, p999Ms, maxMs } = open.latency;
		return [
			{
				name: `open loop at ${100 * share} % of the peak: p99.9 over p50`,
				...{ value: p999Ms / p50Ms, unit: "×", atMost: 10 },
				note: `p50 ${p50Ms}, p99 ${p99Ms}, p99.9 ${p999Ms}, max ${maxMs} ms; ${Math.round(open.perSecond)}/s of ${rate}, peak ${Math.round(peak.perSecond)}; ${open.failed} failed; once sent p99.9 ${open.service?.p999Ms ?? 0} over p50 ${open.service?.p50Ms ?? 0}; generator busy ${rounded(100 * open.generator.busy)} %`,
			},
		];
	});
}
