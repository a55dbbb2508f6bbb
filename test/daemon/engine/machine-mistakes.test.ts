import { afterEach, describe, expect, it, vi } from "vitest";
import { Applier } from "../../../src/daemon/engine/applier.js";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { ApplyContext, Machine } from "../../../src/machines/machine.js";
import {
	get,
	LoopbackCluster,
	type LoopbackNode,
	put,
	until,
	valueIn,
} from "../../fakes/loopback-cluster.js";

let cluster: LoopbackCluster;

afterEach(async () => {
	vi.restoreAllMocks();
	await cluster.close();
});

function transfer(replica: NodeReplica, target: string | null) {
	return new Promise<string | null>((resolve) =>
		replica.transferLeadership(target, resolve),
	);
}

/** The kv machine, but for a mistake in how it applies. */
function broken(
	apply: (command: Uint8Array, context: ApplyContext) => unknown,
): Machine {
	return {
		...kv,
		apply: (state: never, command: Uint8Array, context: ApplyContext) =>
			apply(command, context) ?? kv.apply(state, command, context),
	} as unknown as Machine;
}

const throwing = broken(() => {
	throw new Error("old release");
});

/** Starts a cluster of which one follower's machine has failed. */
async function withFailedFollower(limits: Record<string, number> = {}) {
	cluster = await LoopbackCluster.start(["n1", "n2", "n3"], { limits });
	const { id, replica } = await cluster.leader();
	const failed = cluster.nodes.find((node) => node.id !== id) as LoopbackNode;
	await cluster.stopNode(failed);
	const own = await cluster.startNode(failed, { machine: throwing });
	await put(replica, "k", "v");
	await until("its failure", () => own.status().failure !== null);
	await cluster.leader();
	return { leader: { id, replica }, failed, own };
}

describe("a node whose machine has failed", () => {
	it("does not take leadership over: the transfer times out, and the leader serves on", async () => {
		const { leader, failed } = await withFailedFollower();
		expect(await transfer(leader.replica, failed.id)).toBe(
			"the successor did not take over in time",
		);
		expect(leader.replica.status().raft.role).toBe("leader");
		for (const node of cluster.nodes)
			if (node !== failed)
				expect(await put(node.replica as NodeReplica, "k", "v2")).toMatchObject(
					{ kind: "applied" },
				);
	});

	it("steps down at once when it leads, and never leads again", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"], {
			down: ["n1"],
		});
		const [first] = cluster.nodes as [LoopbackNode];
		const own = await cluster.startNode(first, {
			machine: broken((command) => {
				if (Buffer.from(command).includes("poison")) throw new Error("poison");
			}),
		});
		const { id, replica } = await cluster.leader();
		if (id !== first.id) expect(await transfer(replica, first.id)).toBeNull();
		await until("its turn", () => own.status().raft.role === "leader");
		await put(own, "poison", "1");
		const others = cluster.running.filter((other) => other !== own);
		await until("another leader", () =>
			others.some((other) => other.status().raft.role === "leader"),
		);
		expect(own.status().failure).toContain("poison");
		for (const other of others) {
			expect(await put(other, "a", "1")).toMatchObject({ kind: "applied" });
			expect(valueIn(await get(other, "a"))).toBe("1");
		}
		const next = others.find(
			(other) => other.status().raft.role === "leader",
		) as NodeReplica;
		expect(await transfer(next, first.id)).not.toBeNull();
		expect(own.status().raft.role).toBe("follower");
	});

	it("keeps nothing in memory of what it will not apply", async () => {
		const appliers = vi.spyOn(Applier.prototype, "add");
		const { leader, own } = await withFailedFollower({ windowBytes: 100_000 });
		const before = own.status().raft.commit;
		for (let at = 0; at < 20; at++)
			await put(leader.replica, "k", "x".repeat(50_000));
		await until("its commit", () => own.status().raft.commit >= before + 20);
		for (const applier of new Set(appliers.mock.contexts as Applier[]))
			await until("no bytes", () => applier.waitingBytes === 0);
	});
});

describe("a machine's mistake", () => {
	it("in what it gives for a command fails the machine, not the node", async () => {
		const machine = { ...kv, apply: () => undefined } as unknown as Machine;
		cluster = await LoopbackCluster.start(["n1"], { machine });
		const { replica } = await cluster.leader();
		expect(await put(replica, "a", "1")).toMatchObject({ kind: "unknown" });
		expect(replica.status().failure).toBe(
			"machine kv failed on entry 3: it gave no bytes",
		);
		expect(cluster.nodes[0]?.fatal).toEqual([]);
	});

	it("in what it emits fails the machine, not the node", async () => {
		const machine = broken((_, { emit }) => {
			emit({} as Uint8Array);
		});
		cluster = await LoopbackCluster.start(["n1"], { machine });
		const { replica } = await cluster.leader();
		expect(await put(replica, "a", "1")).toMatchObject({ kind: "unknown" });
		expect(replica.status().failure).toContain("it gave no bytes");
		expect(cluster.nodes[0]?.fatal).toEqual([]);
	});

	it("in what it answers fails the query", async () => {
		const machine = { ...kv, query: () => undefined } as unknown as Machine;
		cluster = await LoopbackCluster.start(["n1"], { machine });
		const { replica } = await cluster.leader();
		expect(await get(replica, "a")).toMatchObject({
			kind: "failed",
			reason: "invalid",
		});
		expect((await put(replica, "a", "1")).kind).toBe("applied");
	});
});

describe("whoever is told", () => {
	it("of outcomes and events may fail over them; the node goes on, and says so", async () => {
		cluster = await LoopbackCluster.start(["n1"]);
		const [node] = cluster.nodes as [LoopbackNode];
		const { replica } = await cluster.leader();
		const fail = () => {
			throw new Error("an observer's mistake");
		};
		const options = { deadlineMs: 10_000, client: "test" };
		const command = kv.json?.command({ op: "put", key: "a", value: "1" }, 1);
		const query = kv.json?.query({ op: "get", key: "a" });
		const consistency = "linearizable";
		replica.subscribe(0, { onEvent: fail, onProgress() {} });
		replica.propose(command as Uint8Array, { ack: "apply", ...options }, fail);
		replica.propose(Buffer.from([250]), { ack: "apply", ...options }, fail);
		replica.query(
			query as Uint8Array,
			{ consistency, minIndex: 0, ...options },
			fail,
		);
		replica.readIndex(10_000, fail);
		replica.transferLeadership(null, fail);
		await until("the reports", () => node.diagnoses.length >= 6);
		for (const { fields } of node.diagnoses)
			expect(fields).toEqual({ reason: "an observer's mistake" });
		expect(node.fatal).toEqual([]);
		// It is told nothing more; the others are.
		expect((await put(replica, "b", "2")).kind).toBe("applied");
		expect(node.diagnoses).toHaveLength(6);
	});
});
