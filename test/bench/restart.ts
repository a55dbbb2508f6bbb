import { type Figure, rounded, type Settings } from "./figures.js";
import { Load } from "./load/load.js";
import { BenchCluster, type BenchNode, until } from "./nodes.js";
import { noSnapshots } from "./snapshot.js";

const entries = 1_000_000;
const bytes = 256;
const clients = 512;
const rounds = 3;
const limitSeconds = 5;

/** From the start of the process until it is ready again, of a follower with a long log. */
export function restartFigures(settings: Settings): Promise<Figure[]> {
	return BenchCluster.with(
		3,
		{ limits: noSnapshots, profile: settings.profile },
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
			const measure = async (what: string, signal: "SIGTERM" | "SIGKILL") => {
				for (let round = 0; round < rounds; round++)
					figures.push({
						name: `${what}, round ${round + 1}`,
						...(await restarted(cluster, follower, signal)),
					});
			};
			await measure("ready after a stop, 1,000,000 entries", "SIGTERM");
			await measure("ready after a kill, 1,000,000 entries", "SIGKILL");
			await follower.takeSnapshot();
			await measure("ready after a kill, snapshot and log", "SIGKILL");
			return figures;
		},
	);
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
