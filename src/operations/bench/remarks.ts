import type { BenchRun } from "./result.js";

/** Above it, what was measured is the generator. */
const busyLimit = 0.9;
/** Below this share of what was asked for, the rest waited, or failed. */
const keptShare = 0.95;
/** Later than that at the 99th percentile, this machine had no time for the load. */
const lateLimitMs = 5;

/** What has to be known before the numbers are believed. */
export function remarksOn({
	loop,
	perSecond,
	errors,
	failed,
	generator,
	latency,
}: Pick<
	BenchRun,
	"loop" | "perSecond" | "errors" | "failed" | "generator" | "latency"
>): readonly string[] {
	const { busy, lateP99Ms } = generator;
	return [
		...(busy > busyLimit
			? [
					`the load generator was busy for ${Math.round(100 * busy)} % of the time: it is the limit here, not the cluster; give it more --threads, or another machine`,
				]
			: []),
		...(lateP99Ms !== null && lateP99Ms > lateLimitMs
			? [
					`one request in a hundred was sent more than ${lateP99Ms} ms late: this machine had no time for the load`,
				]
			: []),
		...(loop.mode === "open" && perSecond < keptShare * loop.perSecond
			? [
					`${Math.round(perSecond)} a second were answered of ${loop.perSecond} that were asked for`,
				]
			: []),
		...(failed > 0
			? [
					`${failed} of ${failed + latency.count} requests failed: ${errorsText(errors)}`,
				]
			: []),
	];
}

function errorsText(errors: BenchRun["errors"]): string {
	return Object.entries(errors)
		.sort(([, a], [, b]) => b - a)
		.map(([kind, count]) => `${count} ${kind}`)
		.join("; ");
}
