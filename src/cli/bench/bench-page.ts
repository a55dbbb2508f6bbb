import type { BenchReport } from "../../operations/bench/result.js";
import { benchCharts } from "./bench-charts.js";
import { benchText } from "./bench-text.js";
import { chartsSvg, escaped } from "./chart-svg.js";

/** One page with all in it: it loads nothing, and runs nothing. */
export function benchPage(report: BenchReport, at: Date): string {
	const title = `raftctl bench${report.cluster === null ? "" : ` of ${report.cluster}`}`;
	const { bytes, keys, reads, connections, threads, warmUpMs } = report.load;
	const about = [
		at.toISOString().replace(/\.\d+Z$/, "Z"),
		`values of ${bytes} bytes on ${keys} keys, ${Math.round(100 * reads)} % reads`,
		`${connections} connections from ${threads} ${threads === 1 ? "thread" : "threads"}`,
		`${warmUpMs / 1000} s to warm up`,
	];
	const endpoints = report.results.map(
		({ system, endpoints }) => `${system} at ${endpoints.join(", ")}`,
	);
	return [
		"<!doctype html>",
		'<html lang="en"><head><meta charset="utf-8">',
		`<title>${escaped(title)}</title>`,
		"<style>body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}pre{overflow-x:auto;background:#f5f5f5;padding:1em}svg{max-width:100%;height:auto}</style>",
		"</head><body>",
		`<h1>${escaped(title)}</h1>`,
		`<p>${[...about, ...endpoints].map(escaped).join("<br>")}</p>`,
		`<pre>${escaped(benchText(report))}</pre>`,
		chartsSvg(benchCharts(report)),
		"</body></html>",
		"",
	].join("\n");
}

export function benchSvg(report: BenchReport): string {
	return `${chartsSvg(benchCharts(report))}\n`;
}
