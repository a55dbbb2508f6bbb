import { type Figure, mebibyte, rounded, type Settings } from "./figures.js";
import { Load } from "./load/load.js";
import type { LoadWindow } from "./load/orders.js";
import { BenchCluster, type BenchNode } from "./nodes.js";

/** A state of 256 MiB. */
export const stateItems = 256 * 1024;
export const itemBytes = 1024;
/** So that a snapshot is taken only when it is asked for. */
export const noSnapshots = {
	snapshotEntries: 1e12,
	snapshotLogBytes: 1e15,
	maxLogBytes: 1e15,
};
const calmSeconds = 8;
const fillClients = 256;
const loadClients = 64;

/** Snapshots of a large state under writes at half of what the cluster can do. */
export function snapshotFigures(settings: Settings): Promise<Figure[]> {
	return BenchCluster.with(
		3,
		{ limits: noSnapshots, profile: settings.profile, probed: true },
		async (cluster) => {
			const leader = await cluster.leader();
			const load = await Load.to(leader.addresses.client);
			await fill(load);
			const perSecond = await halfOfCapacity(load);
			load.begin({ bytes: itemBytes, keys: stateItems, perSecond });
			await load.during(2);
			const figures: Figure[] = [
				{ name: "writes under way", value: perSecond, unit: "/s" },
			];
			for (const [who, nodes] of [
				["the leader", [leader]],
				["all three", cluster.nodes],
			] as const)
				figures.push(...(await oneRound(who, nodes, leader, load)));
			await load.end();
			return figures;
		},
	);
}

/** All items once. */
export async function fill(load: Load): Promise<void> {
	await load.all({
		...{ bytes: itemBytes, keys: stateItems, ordered: true },
		...{ clients: fillClients, total: stateItems },
	});
}

async function halfOfCapacity(load: Load): Promise<number> {
	load.begin({ bytes: itemBytes, keys: stateItems, clients: loadClients });
	await load.during(2);
	const { done, seconds } = await load.during(4);
	load.pause();
	return Math.round(done / seconds / 2);
}

async function oneRound(
	who: string,
	nodes: readonly BenchNode[],
	leader: BenchNode,
	load: Load,
): Promise<Figure[]> {
	await leader.probe();
	const before = await load.during(calmSeconds);
	const calm = await leader.probe();
	const sinceMs = performance.now();
	await Promise.all(nodes.map((node) => node.takeSnapshot()));
	const seconds = (performance.now() - sinceMs) / 1000;
	const during = await load.take();
	const busy = await leader.probe();
	return [
		{
			name: `p99 during snapshots of ${who}, over that before`,
			value: during.p99 / before.p99,
			unit: "×",
			atMost: 2,
			note: `${latencies(before)}; during ${latencies(during)}; ${rounded(seconds)} s`,
		},
		{
			name: `longest hold of the leader's loop, ${who}`,
			value: busy.longestOwnHoldMs,
			unit: "ms",
			atMost: 20,
			note: `${rounded(busy.longestHoldMs)} with waits for a core, GC ${rounded(busy.longestGcMs)}; before ${rounded(calm.longestOwnHoldMs)}; RSS ${Math.round(busy.maxRssBytes / mebibyte)} MiB`,
		},
	];
}

function latencies({ p50, p99, max }: LoadWindow): string {
	return `p50 ${p50} p99 ${p99} max ${max}`;
}
