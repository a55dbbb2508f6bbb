import { EtcdCluster } from "./etcd.js";
import { type Figure, rounded, type Settings } from "./figures.js";
import { Load } from "./load/load.js";
import { BenchCluster, type BenchNode, until } from "./nodes.js";
import { noSnapshots } from "./snapshot.js";
import { median } from "./statistics.js";

const wholeEntries = 1_000_000;
const bytes = 256;
const clients = 512;
const repeats = 3;
const limitSeconds = 5;
const fillLimitSeconds = 3_600;
const signals = { "a stop": "SIGTERM", "a kill": "SIGKILL" } as const;
type Ending = keyof typeof signals;

/**
 * From the start of the process until it is ready again, of a follower with a long log; beside etcd with as long a log.
 * Neither takes snapshots meanwhile, so that all of the log is replayed.
 */
export async function restartFigures(settings: Settings): Promise<Figure[]> {
	const entries = Math.round(wholeEntries * settings.scale);
	process.stderr.write("  raftd\n");
	const own = await ownFigures(settings, entries);
	process.stderr.write("  etcd\n");
	const other = await etcdSeconds(entries);
	const ratios = (Object.keys(signals) as Ending[]).map((ending) => {
		const ours = median(secondsOf(own, ending));
		const theirs = median(other[ending]);
		return {
			name: `ready after ${ending}, ${entries} entries, over etcd's`,
			...{ value: ours / theirs, unit: "×", atMost: 1 },
			note: `medians of ${repeats}: ${rounded(ours)} s and ${rounded(theirs)} s`,
		};
	});
	return [...own, ...ratios];
}

function secondsOf(figures: readonly Figure[], ending: Ending): number[] {
	return figures
		.filter(({ name }) => name.startsWith(`ready after ${ending}, with a log`))
		.map(({ value }) => value);
}

function ownFigures({ profile }: Settings, entries: number): Promise<Figure[]> {
	return BenchCluster.with(
		3,
		{ limits: noSnapshots, profile, probed: true },
		async (cluster) => {
			const leader = await cluster.leader();
			const load = await Load.to(leader.addresses.client);
			await load.all({
				...{ bytes, keys: entries, ordered: true, clients, total: entries },
			});
			await load.end();
			const follower = cluster.nodes.find(
				(node) => node !== leader,
			) as BenchNode;
			const figures: Figure[] = [];
			const measure = async (what: string, ending: Ending) => {
				for (let round = 1; round <= repeats; round++)
					figures.push({
						name: `ready after ${ending}, with ${what}, ${round}`,
						...(await restarted(cluster, follower, signals[ending])),
					});
			};
			const log = `a log of ${entries} entries`;
			await measure(log, "a stop");
			await measure(log, "a kill");
			await follower.takeSnapshot();
			await measure("snapshot and log", "a kill");
			return figures;
		},
	);
}

function etcdSeconds(
	entries: number,
): Promise<Readonly<Record<Ending, readonly number[]>>> {
	// No snapshot within the run: by default etcd takes one every 100,000 entries, and forgets the log before.
	const flags = ["--snapshot-count", `${100 * wholeEntries}`];
	return EtcdCluster.with(flags, async (cluster) => {
		await cluster.load(
			{ clients: [clients], seconds: fillLimitSeconds, bytes, keys: entries },
			entries,
		);
		const leader = await cluster.leader();
		const follower = cluster.nodes.find((node) => node !== leader) ?? leader;
		const taken = { "a stop": [] as number[], "a kill": [] as number[] };
		for (const [ending, signal] of Object.entries(signals)) {
			for (let round = 0; round < repeats; round++) {
				await follower.stop(signal);
				const sinceMs = performance.now();
				follower.start();
				await until("etcd ready again", async () =>
					(await follower.isReady()) ? true : null,
				);
				taken[ending as Ending].push((performance.now() - sinceMs) / 1000);
			}
		}
		return taken;
	});
}

async function restarted(
	cluster: BenchCluster,
	node: BenchNode,
	signal: "SIGTERM" | "SIGKILL",
) {
	await node.stop(signal);
	const logBefore = node.log().length;
	const sinceMs = performance.now();
	cluster.start(node);
	await until("ready again", async () =>
		(await node.isReady()) ? true : null,
	);
	const value = (performance.now() - sinceMs) / 1000;
	const serving = node
		.log()
		.slice(logBefore)
		.match(/"afterMs":(\d+)/)?.[1];
	const { longestOwnHoldMs, maxRssBytes } = await node.probe();
	return {
		...{ value, unit: "s", atMost: limitSeconds },
		note: `serving after ${serving} ms; RSS ${Math.round(maxRssBytes / 2 ** 20)} MiB; loop held ${rounded(longestOwnHoldMs)} ms`,
	};
}
