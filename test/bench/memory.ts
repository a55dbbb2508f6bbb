import { tmpdir } from "node:os";
import { EtcdCluster } from "./etcd.js";
import { type Figure, mebibyte, type Settings } from "./figures.js";
import { Load } from "./load/load.js";
import { BenchCluster } from "./nodes.js";
import { deviceWrittenBytes, residentBytes } from "./process-figures.js";

const writes = 1_000_000;
const keys = 100_000;
const bytes = 256;
const clients = 256;
/** Garbage is collected, and segments are made ready, for a while yet. */
const settleMs = 5_000;
const limitSeconds = 3_600;

interface Taken {
	/** Of each node. */
	readonly resident: readonly number[];
	/** By each, on average. */
	readonly written: number;
}

/** What a node takes after a million writes, in memory and on disk, with the defaults of both. */
export async function memoryFigures({
	scale,
	profile,
}: Settings): Promise<Figure[]> {
	const total = Math.round(writes * scale);
	process.stderr.write("  raftd\n");
	const own = await ownTaken(total, profile);
	process.stderr.write("  etcd\n");
	const other = await etcdTaken(total);
	const most = ({ resident }: Taken) => Math.max(...resident) / mebibyte;
	const perByte = ({ written }: Taken) => written / (total * bytes);
	const texts = ({ resident }: Taken) =>
		resident.map((one) => Math.round(one / mebibyte)).join(", ");
	const after = `after ${total} writes on ${keys} keys`;
	return [
		{
			name: `resident memory of the largest node ${after}, over etcd's`,
			...{ value: most(own) / most(other), unit: "×", atMost: 1.5 },
			note: `${texts(own)} MiB; etcd ${texts(other)} MiB`,
		},
		{
			name: `bytes written to disk per byte committed, ${after}`,
			...{ value: perByte(own), unit: "×", atMost: 1.3 },
			note: `everything that reached the disk meanwhile, by three, snapshots and zeros included; etcd ${perByte(other).toFixed(2)}`,
		},
	];
}

function ownTaken(total: number, profile: string | undefined): Promise<Taken> {
	return BenchCluster.with(3, { profile }, async (cluster) => {
		const leader = await cluster.leader();
		const written = writtenSince(cluster.nodes);
		const load = await Load.to(leader.addresses.client);
		await load.all({ bytes, keys, clients, total });
		await load.end();
		return await taken(cluster.nodes, written);
	});
}

function etcdTaken(total: number): Promise<Taken> {
	return EtcdCluster.with([], async (cluster) => {
		await cluster.leader();
		const written = writtenSince(cluster.nodes);
		await cluster.load(
			{ clients: [clients], seconds: limitSeconds, bytes, keys },
			total,
		);
		return await taken(cluster.nodes, written);
	});
}

/** Everybody else had better write nothing meanwhile. */
function writtenSince(nodes: readonly unknown[]): () => number {
	const before = deviceWrittenBytes(tmpdir());
	return () => (deviceWrittenBytes(tmpdir()) - before) / nodes.length;
}

async function taken(
	nodes: readonly { readonly pid: number }[],
	written: () => number,
): Promise<Taken> {
	await new Promise((wake) => setTimeout(wake, settleMs));
	const resident = nodes.map(({ pid }) => residentBytes(pid));
	return { resident, written: written() };
}
