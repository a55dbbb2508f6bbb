import type { LatencyHistogram } from "./latency-histogram.js";
import type { Loop } from "./load.js";
import type { Measured, Second } from "./measure.js";
import { remarksOn } from "./remarks.js";

/** Milliseconds. */
export interface Latencies {
	readonly count: number;
	readonly meanMs: number;
	readonly p50Ms: number;
	readonly p90Ms: number;
	readonly p99Ms: number;
	readonly p999Ms: number;
	readonly maxMs: number;
}

/** One stretch of load, as it is printed. */
export interface BenchRun {
	readonly loop: Loop;
	readonly seconds: number;
	readonly perSecond: number;
	/** Of values, written and read. */
	readonly bytesPerSecond: number;
	/** In an open loop from when a request was due, in a closed one from when it was sent. */
	readonly latency: Latencies;
	/** Null where there are none. */
	readonly writes: Latencies | null;
	readonly reads: Latencies | null;
	/** Of an open loop: from when it was sent. */
	readonly service: Latencies | null;
	/** By kind; empty where all went well. */
	readonly errors: Readonly<Record<string, number>>;
	/** The sum of those. */
	readonly failed: number;
	readonly generator: {
		/** The share of the time in which the busiest thread had something to do. */
		readonly busy: number;
		/** Of an open loop: how much later than due requests were sent. */
		readonly lateP99Ms: number | null;
	};
	/** [share of the requests, latency in ms]: as finely as the tail needs it. */
	readonly percentiles: readonly (readonly [number, number])[];
	readonly series: readonly Second[];
	readonly interrupted: boolean;
	/** What to know before the numbers are believed, in sentences. */
	readonly remarks: readonly string[];
}

/** How one system did. */
export interface BenchResult {
	readonly system: "raftd" | "etcd";
	readonly endpoints: readonly string[];
	/** In a sweep: the closed loop that found the peak first, then the steps; else one. */
	readonly runs: readonly BenchRun[];
}

/** What `raftctl bench` prints. */
export interface BenchReport {
	/** Null without a cluster file. */
	readonly cluster: string | null;
	readonly load: {
		readonly mode: "closed" | "open" | "sweep";
		readonly bytes: number;
		readonly keys: number;
		readonly reads: number;
		readonly connections: number;
		readonly threads: number;
		readonly durationMs: number;
		readonly warmUpMs: number;
	};
	readonly results: readonly BenchResult[];
	/** Of the first system's first run to the second's; null for one system. */
	readonly compared: Comparison | null;
	readonly keys: {
		readonly prefix: string;
		readonly removed: number;
		/** Where they are still there: on these systems. */
		readonly left: readonly string[];
	};
	readonly interrupted: boolean;
}

/** One divided by the other. */
export interface Comparison {
	readonly of: string;
	readonly to: string;
	readonly perSecond: number;
	readonly p50: number;
	readonly p99: number;
}

export function comparisonOf(
	results: readonly BenchResult[],
): Comparison | null {
	const [own, other] = results;
	const [a, b] = [own?.runs[0], other?.runs[0]];
	if (own === undefined || other === undefined) return null;
	if (a === undefined || b === undefined) return null;
	// Nothing can be said where one answered nothing.
	if (a.latency.count === 0 || b.latency.count === 0) return null;
	return {
		...{ of: own.system, to: other.system },
		perSecond: rounded(a.perSecond / b.perSecond),
		p50: rounded(a.latency.p50Ms / b.latency.p50Ms),
		p99: rounded(a.latency.p99Ms / b.latency.p99Ms),
	};
}

/** A system that was asked, and answered not one request: no numbers of it mean anything. */
export function isUnanswered({
	results,
}: Pick<BenchReport, "results">): boolean {
	return results.some(({ runs }) =>
		runs.some(({ latency, failed }) => latency.count === 0 && failed > 0),
	);
}

export function runOf(measured: Measured, bytes: number): BenchRun {
	const { loop, seconds, answered, all, writes, reads } = measured;
	const perSecond = seconds > 0 ? answered / seconds : 0;
	const isOpen = loop.mode === "open";
	const run = {
		...{ loop, seconds: rounded(seconds), perSecond: rounded(perSecond) },
		bytesPerSecond: Math.round(perSecond * bytes),
		latency: latenciesOf(all),
		writes: writes.count > 0 ? latenciesOf(writes) : null,
		reads: reads.count > 0 ? latenciesOf(reads) : null,
		service: isOpen ? latenciesOf(measured.service) : null,
		errors: measured.errors,
		failed: Object.values(measured.errors).reduce((sum, one) => sum + one, 0),
		generator: {
			busy: rounded(measured.busy),
			lateP99Ms: isOpen ? rounded(measured.late.percentileMs(0.99)) : null,
		},
		percentiles: shares
			// Beyond what so many can tell there is only the largest, again and again.
			.filter((share) => share === 1 || all.count * (1 - share) >= 1)
			.map((share) => [share, rounded(all.percentileMs(share))] as const),
		series: measured.series.map(roundedSecond),
		interrupted: measured.interrupted,
	};
	return { ...run, remarks: remarksOn(run) };
}

const shares = [
	...[0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975],
	...[0.999, 0.9995, 0.99975, 0.9999, 0.99995, 0.99999, 0.999999, 1],
];

function latenciesOf(histogram: LatencyHistogram): Latencies {
	const at = (share: number) => rounded(histogram.percentileMs(share));
	return {
		count: histogram.count,
		meanMs: rounded(histogram.meanMs),
		...{ p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99) },
		...{ p999Ms: at(0.999), maxMs: at(1) },
	};
}

function roundedSecond(second: Second): Second {
	return Object.fromEntries(
		Object.entries(second).map(([name, value]) => [name, rounded(value)]),
	) as unknown as Second;
}

function rounded(value: number): number {
	return Number(value.toFixed(3));
}
