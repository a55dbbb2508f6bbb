import { describe, expect, it } from "vitest";
import type { Heartbeat } from "../../src/raft/types.js";
import {
	around,
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
} from "./cluster.js";

describe("a read on the leader", () => {
	it("is answered with the commit index once a quorum confirms that it still leads", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.raft.readIndex(1);
		leader.run();
		expect(leader.reads).toEqual([]);
		cluster.deliver(kind("heartbeat", "n1", "n2"));
		cluster.deliver(kind("heartbeat-response", "n2"));
		expect(leader.reads).toEqual([{ token: 1, index: 2 }]);
	});

	it("is answered at once when there is no other voter", () => {
		const cluster = new TinyCluster(1);
		const leader = cluster.elect(1);
		leader.raft.readIndex(1);
		leader.run();
		expect(leader.reads).toEqual([{ token: 1, index: 2 }]);
	});

	it("waits for the first commit of the leader's own term (P40)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.node(1);
		while (leader.role !== "leader") {
			leader.tick(heartbeatIntervalMs);
			cluster.settle(kind("append-request"));
		}
		leader.raft.readIndex(1);
		leader.run();
		leader.tick(heartbeatIntervalMs);
		cluster.settle(kind("append-request"));
		expect(leader.reads).toEqual([]);
		cluster.pass(2 * heartbeatIntervalMs);
		expect(leader.reads).toEqual([{ token: 1, index: 2 }]);
	});

	it("is not confirmed by an answer to a heartbeat that was sent before it came (P41)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.tick(heartbeatIntervalMs);
		cluster.deliver(kind("heartbeat"));
		const early = cluster.drop(kind("heartbeat-response"));
		expect(early).toHaveLength(2);
		leader.raft.readIndex(1);
		leader.run();
		for (const message of early) leader.step(message);
		expect(leader.reads).toEqual([]);
		cluster.settle();
		expect(leader.reads).toEqual([{ token: 1, index: 2 }]);
	});

	it("is not confirmed by an answer to an earlier round, late and twice (P41)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.raft.readIndex(1);
		leader.run();
		cluster.deliver(kind("heartbeat"));
		const first = cluster.drop(kind("heartbeat-response"));
		leader.step(first[0] as (typeof first)[0]);
		expect(leader.reads).toEqual([{ token: 1, index: 2 }]);
		leader.raft.readIndex(2);
		leader.run();
		for (const message of [...first, ...first]) leader.step(message);
		expect(leader.reads).toHaveLength(1);
		const rounds = cluster.wire
			.filter(kind("heartbeat"))
			.map((message) => (message as Heartbeat).read);
		expect(rounds).toEqual([2, 2]);
		cluster.settle();
		expect(leader.reads).toEqual([
			{ token: 1, index: 2 },
			{ token: 2, index: 2 },
		]);
	});

	it("is not confirmed by the rounds of an earlier leadership of the same node (P41)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.raft.readIndex(1);
		leader.run();
		cluster.deliver(kind("heartbeat"));
		const old = cluster.drop(kind("heartbeat-response"));
		cluster.pass(2 * electionTimeoutMs, around("n1"));
		cluster.pass(electionTimeoutMs);
		leader.raft.transferLeadership("n1", 1);
		for (const node of cluster.nodes) node.raft.transferLeadership("n1", 2);
		for (const node of cluster.nodes) node.run();
		cluster.settle();
		cluster.pass(electionTimeoutMs);
		expect(leader.role).toBe("leader");
		leader.reads.length = 0;
		leader.raft.readIndex(3);
		leader.run();
		for (const message of old) leader.step(message);
		expect(leader.reads).toEqual([]);
		cluster.settle();
		expect(leader.reads).toMatchObject([{ token: 3 }]);
	});

	it("covers every write that was acknowledged before it began", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1, 1, 1);
		cluster.settle();
		expect(leader.proposals).toMatchObject([
			{ outcome: "committed", index: 3, count: 2 },
		]);
		leader.raft.readIndex(1);
		leader.run();
		cluster.settle();
		expect(leader.reads).toEqual([{ token: 1, index: 4 }]);
	});

	it("fails when leadership ends, before anything else happens (P42)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.raft.readIndex(1);
		leader.run();
		leader.step({
			type: "heartbeat-response",
			from: "n2",
			to: "n1",
			term: 9,
			session: 1,
			read: 1,
			stamp: 0,
		});
		expect(leader.role).toBe("follower");
		expect(leader.reads).toEqual([{ token: 1, index: null }]);
	});

	it("of a follower fails, too, when nobody confirms it in time", () => {
		const cluster = new TinyCluster(3, { options: { outcomeTimeoutMs: 500 } });
		const leader = cluster.elect(1);
		leader.step({
			type: "read-request",
			from: "n2",
			to: "n1",
			term: 2,
			sequence: 4,
		});
		leader.raft.readIndex(1);
		leader.run();
		for (let beat = 0; beat < 5; beat++) leader.tick(heartbeatIntervalMs);
		expect(leader.reads).toEqual([{ token: 1, index: null }]);
		expect(cluster.wire.filter(kind("read-response"))).toMatchObject([
			{ to: "n2", sequence: 4, index: null },
		]);
	});

	it("fails within its time when nobody confirms it", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.raft.readIndex(1);
		leader.run();
		cluster.pass(2 * electionTimeoutMs, around("n1"));
		expect(leader.reads).toEqual([{ token: 1, index: null }]);
	});
});
