import type {
	BenchReport,
	BenchRun,
	Latencies,
} from "../../../src/operations/bench/result.js";

function latencies(p50Ms: number): Latencies {
	return {
		...{ count: 1000, meanMs: p50Ms, p50Ms, p90Ms: 2 * p50Ms },
		...{ p99Ms: 4 * p50Ms, p999Ms: 20 * p50Ms, maxMs: 100 * p50Ms },
	};
}

export function run(
	loop: BenchRun["loop"],
	perSecond: number,
	p50Ms: number,
): BenchRun {
	const isOpen = loop.mode === "open";
	return {
		...{ loop, seconds: 5, perSecond, bytesPerSecond: 256 * perSecond },
		...{ latency: latencies(p50Ms), writes: latencies(p50Ms), reads: null },
		service: isOpen ? latencies(0.8 * p50Ms) : null,
		...{ errors: {}, failed: 0, interrupted: false, remarks: [] },
		generator: { busy: 0.3, lateP99Ms: isOpen ? 1 : null },
		percentiles: [
			[0.5, p50Ms],
			[0.9, 2 * p50Ms],
			[0.99, 4 * p50Ms],
			[0.999, 20 * p50Ms],
			[1, 100 * p50Ms],
		],
		series: [1, 2, 3].map((atSeconds) => ({
			...{ atSeconds, perSecond, errors: 0 },
			...{ p50Ms, p99Ms: 4 * p50Ms, maxMs: 100 * p50Ms },
		})),
	};
}

const load = {
	...{ bytes: 256, keys: 10_000, reads: 0, connections: 8, threads: 1 },
	...{ durationMs: 5000, warmUpMs: 2000 },
};
const keys = { prefix: "raftctl/bench/x/", removed: 9608, left: [] };

/** A closed loop on a cluster and on an etcd. */
export const besideEtcd: BenchReport = {
	...{ cluster: "demo", load: { mode: "closed", ...load }, keys },
	results: [
		{
			...{ system: "raftd", endpoints: ["10.0.0.1:7111"] },
			runs: [run({ mode: "closed", clients: 64 }, 20_123.4, 1.25)],
		},
		{
			...{ system: "etcd", endpoints: ["10.0.0.9:2379"] },
			runs: [
				{
					...run({ mode: "closed", clients: 64 }, 5_012.7, 6.1),
					...{ errors: { timeout: 3 }, failed: 3 },
					remarks: ["3 of 1003 requests failed: 3 timeout"],
				},
			],
		},
	],
	compared: { of: "raftd", to: "etcd", perSecond: 4.014, p50: 0.205, p99: 0.2 },
	interrupted: false,
};

/** Rates up to the first that is not kept. */
export const sweep: BenchReport = {
	...{ cluster: "demo", load: { mode: "sweep", ...load }, keys },
	results: [
		{
			...{ system: "raftd", endpoints: ["10.0.0.1:7111"] },
			runs: [
				run({ mode: "closed", clients: 64 }, 20_000, 3.2),
				run({ mode: "open", perSecond: 5_000 }, 5_000, 0.8),
				run({ mode: "open", perSecond: 10_000 }, 10_000, 1),
				run({ mode: "open", perSecond: 15_000 }, 15_000, 1.6),
				run({ mode: "open", perSecond: 20_000 }, 19_000, 12),
				{
					...run({ mode: "open", perSecond: 22_000 }, 17_500, 90),
					remarks: [
						"17500 a second were answered of 22000 that were asked for",
					],
				},
			],
		},
	],
	compared: null,
	interrupted: false,
};
