import { describe, expect, it } from "vitest";
import { electionTimeoutMs, TinyCluster } from "./cluster.js";

describe("a node whose state machine has failed", () => {
	it("steps down when it leads, and another leads at once", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.raft.renounceLeadership();
		leader.run();
		cluster.settle();
		expect(leader.role).toBe("follower");
		expect(cluster.nodes.filter(({ role }) => role === "leader")).toHaveLength(
			1,
		);
	});

	it("never campaigns, however long it hears nobody", () => {
		const cluster = new TinyCluster(3);
		const node = cluster.node(1);
		node.raft.renounceLeadership();
		const { term } = node;
		for (let turn = 0; turn < 50; turn++) node.tick(electionTimeoutMs / 5);
		expect(node.role).toBe("follower");
		expect(node.term).toBe(term);
	});

	it("does not take leadership that is handed to it; the old leader serves on", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(500);
		cluster.node(2).raft.renounceLeadership();
		leader.raft.transferLeadership("n2", 7);
		leader.run();
		cluster.pass(2000);
		expect(leader.role).toBe("leader");
		expect(leader.transfers).toEqual([
			{ token: 7, outcome: "timed-out", reason: null },
		]);
		expect(leader.propose(1)).toBeNull();
	});
});
