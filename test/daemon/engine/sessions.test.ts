import { afterEach, describe, expect, it } from "vitest";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import type {
	CommandOutcome,
	SessionOutcome,
	SessionStamp,
} from "../../../src/daemon/replica.js";
import { kv } from "../../../src/machines/kv/machine.js";
import {
	get,
	LoopbackCluster,
	put,
	until,
	valueIn,
} from "../../fakes/loopback-cluster.js";
import { fill, level, takeSnapshot } from "./changing.js";

let cluster: LoopbackCluster;
afterEach(() => cluster.close());

const three = ["n1", "n2", "n3"] as const;

async function open(replica: NodeReplica): Promise<number> {
	const outcome = await new Promise<SessionOutcome>((resolve) =>
		replica.openSession({ deadlineMs: 20_000, client: "c" }, resolve),
	);
	if (outcome.kind !== "opened") throw new Error(JSON.stringify(outcome));
	return outcome.id;
}

function putOnce(
	replica: NodeReplica,
	value: string,
	session: SessionStamp,
	ack: "commit" | "apply" = "apply",
): Promise<CommandOutcome> {
	const json = { op: "put", key: "k", value };
	const command = kv.json?.command(json, 1) as Uint8Array;
	const options = { ack, deadlineMs: 20_000, client: "c", session };
	return new Promise((resolve) => replica.propose(command, options, resolve));
}

function control(replica: NodeReplica, command: object): Promise<unknown> {
	const bytes = Buffer.from(JSON.stringify(command));
	return new Promise((resolve) => replica.control(bytes, 20_000, resolve));
}

describe("a session", () => {
	it("has each command executed once, whichever node it is sent to again, also after restarts from snapshots", async () => {
		cluster = await LoopbackCluster.start(three, {
			limits: { segmentBytes: 64 * 1024 },
		});
		const { id: leads, replica: leader } = await cluster.leader();
		const [follower] = (await cluster.followers()) as [NodeReplica];
		const id = await open(follower);
		const first = { id, sequence: 1, acknowledged: 0 };
		const done = await putOnce(follower, "one", first);
		expect(done.kind).toBe("applied");
		const { index } = done as { index: number };
		// The first attempt's answer, though it was another value, and another node.
		expect(await putOnce(leader, "two", first)).toEqual(done);
		expect(await putOnce(follower, "two", first, "commit")).toEqual({
			...{ kind: "committed", index },
		});
		expect(valueIn(await get(leader, "k"))).toBe("one");

		await cluster.stopNode(cluster.node(leads));
		const successor = (await cluster.leading()).replica;
		expect(await putOnce(successor, "three", first)).toEqual(done);
		await cluster.startNode(cluster.node(leads));
		const { replica } = await cluster.leader();
		await fill(replica, "f", 200, "v".repeat(1000));
		for (const node of cluster.nodes) {
			await level(node.replica as NodeReplica, replica);
			await takeSnapshot(node.replica as NodeReplica);
			await until("a compacted log", () => {
				return (node.replica as NodeReplica).status().raft.firstIndex > 1;
			});
		}
		for (const node of cluster.nodes) await cluster.stopNode(node);
		await Promise.all(cluster.nodes.map((node) => cluster.startNode(node)));
		const again = (await cluster.leading()).replica;
		expect(await putOnce(again, "four", first)).toEqual(done);
		const second = { id, sequence: 2, acknowledged: 1 };
		expect((await putOnce(again, "five", second)).kind).toBe("applied");
		expect(valueIn(await get(again, "k"))).toBe("five");
		// What was acknowledged is forgotten, and not executed for that.
		expect(await putOnce(again, "six", first)).toMatchObject({
			...{ kind: "rejected", reason: "session-misused" },
		});
		expect(valueIn(await get(again, "k"))).toBe("five");
	});

	it("ends by the log's time, on every node alike", async () => {
		cluster = await LoopbackCluster.start(three);
		const { replica } = await cluster.leader();
		const opened = await control(replica, {
			...{ type: "open-session", ttlMs: 300, nowMs: Date.now() },
		});
		const { index: id } = opened as { index: number };
		await putOnce(replica, "one", { id, sequence: 1, acknowledged: 0 });
		await new Promise((resolve) => setTimeout(resolve, 700));
		await control(replica, { type: "tick", nowMs: Date.now() });
		for (const node of cluster.running) {
			expect(
				await putOnce(node, "two", { id, sequence: 2, acknowledged: 1 }),
			).toMatchObject({ kind: "rejected", reason: "session-expired" });
			expect(node.controlState().sessions.size).toBe(0);
		}
		expect(valueIn(await get(replica, "k"))).toBe("one");
	});
});

describe("reads under the leader's lease", () => {
	it("ask nobody, on the leader; a follower asks the leader", async () => {
		cluster = await LoopbackCluster.start(three);
		const { replica } = await cluster.leader();
		await put(replica, "k", "1");
		await until("the lease", async () => {
			const { leaseReads } = replica.stats();
			await get(replica, "k", { consistency: "lease" });
			return replica.stats().leaseReads > leaseReads;
		});
		const before = replica.stats().readRounds;
		for (let times = 0; times < 20; times++) {
			await put(replica, "k", `${times}`);
			const answer = await get(replica, "k", { consistency: "lease" });
			expect(valueIn(answer)).toBe(`${times}`);
			expect(answer).toMatchObject({ ageMs: 0 });
		}
		const rounds = replica.stats().readRounds - before;
		expect(rounds).toBeLessThan(20);
		const [follower] = (await cluster.followers()) as [NodeReplica];
		const asked = await get(follower, "k", { consistency: "lease" });
		expect(valueIn(asked)).toBe("19");
		expect(follower.stats().leaseReads).toBe(0);
	});

	it("are confirmed by a quorum after leadership was offered in vain, and stale ages stay young (P37, P43)", async () => {
		cluster = await LoopbackCluster.start(three);
		const { id, replica } = await cluster.leader();
		const [target] = three.filter((each) => each !== id) as [string];
		const stopping = cluster.stopNode(cluster.node(target));
		await new Promise((resolve) => replica.transferLeadership(target, resolve));
		await stopping;
		const { replica: leader } = await cluster.leading();
		await put(leader, "k", "1");
		const answer = await get(leader, "k", { consistency: "lease" });
		expect(valueIn(answer)).toBe("1");
		await new Promise((resolve) => setTimeout(resolve, 1000));
		const stale = await get(leader, "k", { consistency: "stale" });
		expect((stale as { ageMs: number }).ageMs).toBeLessThan(900);
	});
});
