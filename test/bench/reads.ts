import { EtcdCluster } from "./etcd.js";
import type { Figure, Settings } from "./figures.js";
import { inTurn, type Round, ratioFigure } from "./in-turn.js";
import { raftdLoad, withCluster } from "./raftd.js";
import type { Row } from "./systems.js";

const clients = 256;
const bytes = 256;
const keys = 10_000;
/** Its row does not count: code is compiled while it runs. */
const warmUpClients = 16;

/** Linearizable reads from 256 clients, of the leader and of all nodes, beside etcd's, whose client takes all nodes. */
export async function readFigures({
	rounds,
	seconds,
}: Settings): Promise<Figure[]> {
	const load = {
		...{ clients: [warmUpClients, clients], seconds, bytes, keys },
		reads: true,
	};
	const measured = await inTurn(rounds, {
		raftd: () =>
			withCluster({ portBase: 16_100 }, async (cluster) => {
				const leader = await raftdLoad(cluster.clients, load);
				const spread = await raftdLoad(cluster.clients, load, "any");
				return [named("leader", leader), named("spread", spread)];
			}),
		etcd: () =>
			EtcdCluster.with([], async (cluster) => [
				named("etcd", await cluster.load(load)),
			]),
	});
	const unit = "/s";
	return [
		ratioFigure(
			`reads from ${clients} clients of the leader, over etcd's`,
			measured,
			{ of: "leader", to: "etcd", unit },
			{ atLeast: 4 },
		),
		ratioFigure(
			`reads from ${clients} clients of all nodes, over etcd's`,
			measured,
			{ of: "spread", to: "etcd", unit },
			{ atLeast: 5 },
		),
	];
}

function named(system: string, rows: readonly Row[]): Round {
	return new Map([[system, rows.at(-1)?.rps ?? Number.NaN]]);
}
