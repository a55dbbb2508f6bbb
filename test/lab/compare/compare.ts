import { forEach } from "../all-at-once.js";
import type { Lab } from "../lab.js";
import { allHosts } from "../names.js";
import { EtcdCluster } from "./etcd.js";
import { type Measured, measure, type Run } from "./measure.js";
import { installFront, ordinaryFront } from "./ordinary-front.js";
import { RaftdCluster } from "./raftd.js";
import { drainScript, ordinaryScript } from "./scripts.js";
import type { Comparison } from "./table.js";

export interface CompareOptions {
	/** The entry file of raftctl. */
	readonly raftctl: string;
	readonly tell: (line: string) => void;
}

/** Restarts three nodes in four ways, one after the other, on machines that are bare before and after. */
export async function compare(
	lab: Lab,
	options: CompareOptions,
): Promise<Comparison> {
	const bare = () => forEach(allHosts, (host) => lab.replace(host));
	await bare();
	try {
		const ofRaftd = await compareRaftd(lab, options);
		await bare();
		return { ...ofRaftd, etcdScript: await measureEtcd(lab, options) };
	} finally {
		await bare();
	}
}

async function compareRaftd(
	lab: Lab,
	{ raftctl, tell }: CompareOptions,
): Promise<Omit<Comparison, "etcdScript">> {
	tell("raftd: deploy");
	const cluster = await RaftdCluster.deploy(lab, raftctl);
	const { system, nodes } = cluster;
	const measured = async (what: string, roll: () => Promise<string>) => {
		await cluster.settled();
		return told(tell, what, await measure(system, roll));
	};
	try {
		const byRaftctl = await measured("raftctl", () => cluster.roll());
		await installFront(lab, ordinaryFront(nodes, "/readyz"));
		const script = await measured("script", () => ordinaryScript(lab, nodes));
		const drained = await measured("script with drain", () =>
			drainScript(lab, nodes),
		);
		return { raftctl: byRaftctl, script, drainScript: drained };
	} finally {
		await cluster.close();
	}
}

async function measureEtcd(
	lab: Lab,
	{ tell }: CompareOptions,
): Promise<Measured> {
	tell("etcd: install");
	const cluster = await EtcdCluster.install(lab);
	const { system, nodes } = cluster;
	await installFront(lab, ordinaryFront(nodes, "/health"));
	await cluster.settled();
	const run = await measure(system, () => ordinaryScript(lab, nodes));
	return told(tell, "etcd", run);
}

function told(
	tell: (line: string) => void,
	what: string,
	{ measured, writes, failures }: Run,
): Measured {
	tell(`${what}: ${measured.failed} of ${writes} writes failed`);
	for (const failure of new Set(failures)) tell(`  ${failure}`);
	return measured;
}
