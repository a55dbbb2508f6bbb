import { afterEach, describe, expect, it } from "vitest";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import { type HealthFacts, healthLimits } from "../../../src/daemon/health.js";
import { HealthMonitor } from "../../../src/daemon/health-monitor.js";
import { type HeldLog, openHeldLog } from "../../fakes/held-log.js";
import {
	get,
	LoopbackCluster,
	put,
	until,
	valueIn,
} from "../../fakes/loopback-cluster.js";

const ids = ["n1", "n2", "n3"];
const diskStallMs = 1000;
const notDraining: HealthFacts["drain"] = {
	draining: false,
	closing: false,
	phase: "serving",
	leaseLeftMs: 0,
};

let cluster: LoopbackCluster;
const logs = new Map<string, HeldLog>();

afterEach(() => cluster.close());

/** Three nodes whose disks can be made to stand still. */
async function start(): Promise<void> {
	cluster = await LoopbackCluster.start(ids, {
		down: ids,
		timing: { diskStallMs },
	});
	const openLog = (id: string) => openHeldLog((log) => void logs.set(id, log));
	await Promise.all(
		cluster.nodes.map((node) =>
			cluster.startNode(node, { openLog: openLog(node.id) }),
		),
	);
}

function healthOf(replica: NodeReplica): HealthMonitor {
	return new HealthMonitor({
		replica,
		limits: healthLimits({ electionTimeoutMs: 300, diskStallMs }),
		nowMs: () => performance.now(),
		started: () => true,
		drain: () => notDraining,
		eventLoop: () => ({ recentStallMs: 0, longestStallMs: 0 }),
	});
}

const failed = (checks: readonly { name: string; ok: boolean }[]) =>
	checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe("a leader whose disk stands still", () => {
	it("makes room for another, through whom all goes on, and follows when its disk does (P36)", async () => {
		await start();
		const old = await cluster.leader();
		const health = healthOf(old.replica);
		const others = (await cluster.followers()) as NodeReplica[];
		for (let at = 0; at < 20; at++)
			await put(old.replica, `before-${at}`, `${at}`);

		const disk = logs.get(old.id) as HeldLog;
		disk.hold();
		const underWay = put(old.replica, "under-way", "1");
		await until("a write that waits for the disk", () => disk.held > 0);
		await until("another leader", () =>
			others.find((replica) => replica.status().raft.role === "leader"),
		);
		await until("an end of readiness", () =>
			failed(health.ready()).includes("healthy"),
		);
		expect(health.state()).toBe("unready");
		expect(failed(health.live())).toEqual([]);
		for (const [at, replica] of others.entries())
			expect(await put(replica, `meanwhile-${at}`, `${at}`)).toMatchObject({
				kind: "applied",
			});
		expect(disk.held).toBeGreaterThan(0);
		expect(old.replica.status().raft.role).toBe("follower");

		disk.goOn();
		expect(await underWay).toMatchObject({ kind: "applied" });
		await until("a leader whom the old one follows", () => {
			const { role, leader } = old.replica.status().raft;
			return role === "follower" && leader !== null;
		});
		await until("readiness", () => failed(health.ready()).length === 0);
		for (const replica of cluster.running) {
			for (let at = 0; at < 20; at++)
				expect(valueIn(await get(replica, `before-${at}`))).toBe(`${at}`);
			for (let at = 0; at < 2; at++)
				expect(valueIn(await get(replica, `meanwhile-${at}`))).toBe(`${at}`);
			expect(valueIn(await get(replica, "under-way"))).toBe("1");
		}
		expect(cluster.nodes.flatMap(({ fatal }) => fatal)).toEqual([]);
	});
});
