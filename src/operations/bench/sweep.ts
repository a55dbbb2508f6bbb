import type { BenchRun } from "./result.js";

/** Beyond the peak of a closed loop an open one has no answer: the last step shows that. */
const lastShare = 1.1;
/** What a rate must keep for the next to be worth its time. */
const keptShare = 0.9;
const failedShare = 0.01;

/** The rates of a sweep: evenly up to a little beyond what a closed loop got. */
export function sweepRates(peakPerSecond: number, steps: number): number[] {
	const rates = Array.from({ length: steps }, (_, step) =>
		tidy((peakPerSecond * lastShare * (step + 1)) / steps),
	);
	return [...new Set(rates)];
}

/** Of two digits, as people ask for it; 1 at least. */
function tidy(rate: number): number {
	return Math.max(1, Number(rate.toPrecision(2)));
}

/** What is asked for is no longer answered: a higher rate would only queue longer. */
export function isSaturated({
	loop,
	perSecond,
	failed,
	latency,
}: Pick<BenchRun, "loop" | "perSecond" | "failed" | "latency">): boolean {
	if (loop.mode === "closed") return false;
	return (
		perSecond < keptShare * loop.perSecond ||
		failed > failedShare * (failed + latency.count)
	);
}
