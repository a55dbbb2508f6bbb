import { EtcdCluster } from "./etcd.js";
import type { Figure, Settings } from "./figures.js";
import { inTurn, ratioFigure } from "./in-turn.js";
import { raftdRows } from "./raftd.js";

const bytes = 64 * 1024;
const clients = 64;
/** Few, so that it is the log that is measured and not the size of the state. */
const keys = 1000;
const warmUpClients = 16;

/** Writes of 64 KiB beside etcd's, in MB a second. */
export async function valueFigures({
	rounds,
	seconds,
}: Settings): Promise<Figure[]> {
	const load = { clients: [warmUpClients, clients], seconds, bytes, keys };
	const megabytes = (rps: number | undefined) =>
		((rps ?? Number.NaN) * bytes) / 1e6;
	const measured = await inTurn(rounds, {
		raftd: async () => megabytes((await raftdRows(load)).at(-1)?.rps),
		etcd: () =>
			EtcdCluster.with([], async (cluster) =>
				megabytes((await cluster.load(load)).at(-1)?.rps),
			),
	});
	return [
		ratioFigure(
			`writes of 64 KiB from ${clients} clients, over etcd's`,
			measured,
			{ of: "raftd", to: "etcd", unit: "MB/s" },
			{ atLeast: 1.5 },
		),
	];
}
