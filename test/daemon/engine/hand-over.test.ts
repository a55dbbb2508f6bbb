import { afterEach, describe, expect, it } from "vitest";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import type { CommandOutcome } from "../../../src/daemon/replica.js";
import {
	get,
	LoopbackCluster,
	put,
	until,
	valueIn,
} from "../../fakes/loopback-cluster.js";

let cluster: LoopbackCluster;

afterEach(() => cluster.close());

/** Clients that write one value after the other, each through its own node, and remember what was acknowledged. */
class Writers {
	readonly acknowledged = new Map<string, string>();
	readonly failed: CommandOutcome[] = [];
	#stopped = false;
	readonly #loops: Promise<void>[] = [];

	start(name: string, replica: NodeReplica): void {
		this.#loops.push(this.#loop(name, replica));
	}

	async #loop(name: string, replica: NodeReplica): Promise<void> {
		for (let written = 1; !this.#stopped; written++) {
			const outcome = await put(replica, name, `${written}`);
			if (outcome.kind === "applied") this.acknowledged.set(name, `${written}`);
			else this.failed.push(outcome);
		}
	}

	async progress(): Promise<void> {
		const before = new Map(this.acknowledged);
		await until("progress of every writer", () =>
			[...before].every(
				([name, value]) => this.acknowledged.get(name) !== value,
			),
		);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		await Promise.all(this.#loops);
	}
}

function transfer(replica: NodeReplica, target: string | null) {
	return new Promise<string | null>((resolve) =>
		replica.transferLeadership(target, resolve),
	);
}

describe("handing leadership over", () => {
	it("fails no request, whatever node it came in at", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		await cluster.leader();
		const writers = new Writers();
		for (const { id, replica } of cluster.nodes)
			for (let client = 0; client < 8; client++)
				writers.start(`${id}-${client}`, replica as NodeReplica);
		const leaders = new Set<string>();
		for (let round = 0; round < 6; round++) {
			await until(
				"a first answer to all",
				() => writers.acknowledged.size === 24,
			);
			await writers.progress();
			const { id, replica } = await cluster.leader();
			leaders.add(id);
			const target = cluster.nodes[round % 3]?.id as string;
			if (target !== id) expect(await transfer(replica, target)).toBeNull();
		}
		await writers.progress();
		await writers.stop();
		expect(writers.failed).toEqual([]);
		expect(leaders.size).toBe(3);
		for (const [name, value] of writers.acknowledged)
			for (const replica of cluster.running)
				expect(valueIn(await get(replica, name))).toBe(value);
	});

	it("lets every node restart in turn under load, and fails no request at the others", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		for (const node of cluster.nodes) {
			const { id, replica } = await cluster.leader();
			if (id === node.id) expect(await transfer(replica, null)).toBeNull();
			const writers = new Writers();
			for (const other of cluster.nodes)
				if (other !== node)
					for (let client = 0; client < 4; client++)
						writers.start(
							`${other.id}-${client}`,
							other.replica as NodeReplica,
						);
			await until(
				"a first answer to all",
				() => writers.acknowledged.size === 8,
			);
			await cluster.stopNode(node);
			await writers.progress();
			const restarted = await cluster.startNode(node);
			await cluster.leader();
			await writers.progress();
			await writers.stop();
			expect(writers.failed).toEqual([]);
			for (const [name, value] of writers.acknowledged)
				expect(valueIn(await get(restarted, name))).toBe(value);
		}
	});

	it("picks a connected successor by itself, and says why it cannot when there is none", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const { id, replica } = await cluster.leader();
		const [other] = await cluster.followers();
		expect(await transfer(other as NodeReplica, null)).toBe(
			"this node does not lead",
		);
		expect(await transfer(replica, "n9")).toBe("n9 is not connected");
		const gone = cluster.nodes.find((node) => node.id !== id);
		await cluster.stopNode(gone as (typeof cluster.nodes)[number]);
		await until(
			"the link to be gone",
			() => replica.status().connectedPeers.length === 1,
		);
		expect(await transfer(replica, gone?.id as string)).toBe(
			`${gone?.id} is not connected`,
		);
		expect(await transfer(replica, null)).toBeNull();
		const successor = await cluster.leader();
		expect([id, gone?.id]).not.toContain(successor.id);
	});
});

describe("a leader that is gone", () => {
	it("is replaced, and nothing acknowledged is lost", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const { id, replica } = await cluster.leader();
		for (let at = 0; at < 20; at++) await put(replica, `k${at}`, `v${at}`);
		await cluster.stopNode(cluster.node(id));
		const successor = await cluster.leader();
		expect(successor.id).not.toBe(id);
		await put(successor.replica, "after", "1");
		const back = await cluster.startNode(cluster.node(id));
		await cluster.leader();
		for (let at = 0; at < 20; at++)
			expect(valueIn(await get(back, `k${at}`))).toBe(`v${at}`);
		expect(valueIn(await get(back, "after"))).toBe("1");
	});

	it("leaves those without a quorum with a certain answer for what was never tried", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const [survivor, other] = await cluster.followers();
		for (const node of cluster.nodes)
			if (node.replica !== survivor) await cluster.stopNode(node);
		expect(other).toBeDefined();
		const alone = survivor as NodeReplica;
		await until("no leader", () => alone.status().raft.leader === null);
		expect(await put(alone, "a", "1", { deadlineMs: 50 })).toMatchObject({
			kind: "rejected",
			reason: "no-leader",
		});
		expect(await get(alone, "a", { deadlineMs: 50 })).toMatchObject({
			kind: "failed",
			reason: "no-leader",
		});
		expect(await get(alone, "a", { consistency: "stale" })).toMatchObject({
			kind: "answer",
		});
		expect(alone.status().leaderlessTotalMs).toBeGreaterThan(0);
		expect(alone.status().inflight).toBe(0);
	});
});
