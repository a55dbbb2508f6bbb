import { type Figure, mebibyte, rounded, type Settings } from "./figures.js";
import { Load } from "./load/load.js";
import type { LoadWindow } from "./load/orders.js";
import { BenchCluster, type BenchNode } from "./nodes.js";
import { keepApart } from "./processors.js";

const bytes = 256;
const keys = 100_000;
const clientCounts = [64, 256, 1000, 2000];
const closedSeconds = 4;
const halfSeconds = 8;
const overSeconds = 15;
/** What is written before counts for nothing: code is compiled while it runs. */
const warmUpSeconds = 4;
const settleSeconds = 2;

/**
 * What happens to the writes that are accepted when three times as many come as can be done: from applications, and from
 * senders that heed no refusal.
 */
export async function overloadFigures(settings: Settings): Promise<Figure[]> {
	return [
		...(await figuresThrough("library", settings)),
		...(await figuresThrough("streams", settings)),
	];
}

function figuresThrough(
	through: "library" | "streams",
	settings: Settings,
): Promise<Figure[]> {
	const named = (name: string) =>
		through === "library" ? name : `raw streams: ${name}`;
	return BenchCluster.with(
		3,
		{ profile: settings.profile, probed: true },
		async (cluster) => {
			const leader = await cluster.leader();
			const load = await Load.to(leader.addresses.client, through);
			const apart = keepApart(
				load.pid,
				cluster.nodes.map(({ pid }) => pid),
			);
			const written = await writtenSoFar(leader);
			const { peak, clients } = await capacity(load);
			const half = await open(load, 0.5 * peak, halfSeconds);
			const calm = await memory(cluster);
			const over = await open(load, 3 * peak, overSeconds);
			const full = await memory(cluster);
			const amplification = await written();
			await load.end();
			const refused = Object.entries(over.refused);
			return [
				{
					name: named("capacity, closed loop"),
					value: peak,
					unit: "/s",
					note: `${clients} clients; ${apart}`,
				},
				...(through === "streams" ? [amplification] : []),
				{
					name: named("p99 accepted at 3×, over that at half load"),
					value: over.p99 / half.p99,
					unit: "×",
					atMost: 3,
					note: `${latencies(half)}; at 3× ${latencies(over)}`,
				},
				{
					name: named("goodput at 3×, of the capacity"),
					value: over.done / over.seconds / peak,
					unit: "×",
					atLeast: 0.9,
					note: `${Math.round(over.done / over.seconds)}/s of ${Math.round(over.sent / over.seconds)}/s sent; refused ${refused.map(([reason, count]) => `${reason} ${count}`).join(", ")}`,
				},
				...cluster.nodes.map((node, at) => ({
					name: named(`most memory of ${node.id} at 3×`),
					value: (full[at]?.maxRssBytes ?? 0) / mebibyte,
					unit: "MiB",
					// What is under way is bounded: at most that much more than at half load.
					atMost: (calm[at]?.maxRssBytes ?? 0) / mebibyte + 256,
					note: `${node === leader ? "leads; " : ""}${Math.round((calm[at]?.maxRssBytes ?? 0) / mebibyte)} at half load; loop held ${rounded(full[at]?.longestOwnHoldMs ?? 0)} ms at most`,
				})),
			];
		},
	);
}

/** The most that any number of clients gets. */
async function capacity(load: Load) {
	let best = { peak: 0, clients: 0 };
	load.begin({ bytes, keys, clients: 256 });
	await load.during(warmUpSeconds);
	load.pause();
	for (const clients of clientCounts) {
		load.begin({ bytes, keys, clients });
		await load.during(settleSeconds);
		const { done, seconds } = await load.during(closedSeconds);
		load.pause();
		const peak = done / seconds;
		if (peak > best.peak) best = { peak, clients };
	}
	return best;
}

/** What the leader's disk has to write for what is committed, from now until the result is called. */
async function writtenSoFar(leader: BenchNode): Promise<() => Promise<Figure>> {
	const count = async () => ({
		committed: (await leader.metric("raftd_entries_applied_total")) * bytes,
		log: await leader.metric("raftd_log_bytes_written_total"),
	});
	const before = await count();
	return async () => {
		const after = await count();
		const committed = after.committed - before.committed;
		return {
			name: "bytes written to the log per byte committed",
			value: (after.log - before.log) / committed,
			unit: "×",
			note: `for ${Math.round(committed / mebibyte)} MiB`,
		};
	};
}

async function open(
	load: Load,
	perSecond: number,
	seconds: number,
): Promise<LoadWindow> {
	load.begin({ bytes, keys, perSecond });
	await load.during(settleSeconds);
	const window = await load.during(seconds);
	load.pause();
	await load.during(settleSeconds);
	return window;
}

function memory(cluster: BenchCluster) {
	return Promise.all(cluster.nodes.map((node) => node.probe()));
}

function latencies({ p50, p99, max }: LoadWindow): string {
	return `p50 ${p50} p99 ${p99} max ${max}`;
}
