import { describe, expect, it } from "vitest";
import {
	around,
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
	type TinyNode,
} from "./cluster.js";

function hand(leader: TinyNode, target: string | null, token = 1): void {
	leader.raft.transferLeadership(target, token);
	leader.run();
}

describe("a transfer of leadership", () => {
	it("makes the target leader without waiting for a timeout, and is done when it leads", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		hand(leader, "n3");
		cluster.settle();
		expect(cluster.nodes.map((node) => node.role)).toEqual([
			"follower",
			"follower",
			"leader",
		]);
		expect(leader.transfers).toEqual([
			{ token: 1, outcome: "done", reason: null },
		]);
	});

	it("chooses the voter with the most of the log when none is named", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1);
		cluster.settle(around("n2"));
		hand(leader, null);
		expect(leader.raft.status().transferTarget).toBe("n3");
	});

	it("takes no proposals while it lasts, and says so definitely (P37)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		hand(leader, "n2");
		expect(leader.propose(9)).toBe("transferring");
		expect(leader.terms).toHaveLength(2);
	});

	it("asks the target to campaign only when it holds the whole log (P37)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1, 1, 1);
		const held = cluster.drop(kind("append-request", "n1", "n2"));
		hand(leader, "n2");
		expect(cluster.wire.filter(kind("timeout-now"))).toEqual([]);
		for (const message of held) cluster.node(2).step(message);
		cluster.deliver(kind("append-response", "n2"));
		expect(cluster.wire.filter(kind("timeout-now"))).toMatchObject([
			{ to: "n2" },
		]);
		cluster.settle();
		expect(cluster.node(2).role).toBe("leader");
	});

	it("ends at its deadline, after which the old leader serves again (P37)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		hand(leader, "n2");
		cluster.drop(kind("timeout-now"));
		cluster.pass(1000);
		expect(leader.transfers).toEqual([
			{ token: 1, outcome: "timed-out", reason: null },
		]);
		expect(leader.role).toBe("leader");
		expect(leader.propose(9)).toBeNull();
		cluster.settle();
		expect(leader.proposals).toMatchObject([
			{ token: 9, outcome: "committed" },
		]);
	});

	it("is aborted when somebody else becomes leader", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		hand(leader, "n2");
		cluster.drop();
		leader.step({
			type: "heartbeat",
			from: "n3",
			to: "n1",
			term: 5,
			session: 1,
			commit: 1,
			read: 0,
			stamp: 0,
			currentCommit: 0,
			currentStamp: 0,
		});
		expect(leader.transfers).toEqual([
			{ token: 1, outcome: "aborted", reason: null },
		]);
	});

	it("is refused with the reason, once (P37)", () => {
		const cluster = new TinyCluster(3, { learners: 1 });
		const leader = cluster.elect(1);
		hand(leader, "n4", 1);
		hand(leader, "n1", 2);
		hand(leader, "n9", 3);
		hand(cluster.node(2), "n3", 4);
		hand(leader, "n2", 5);
		hand(leader, "n3", 6);
		expect([...leader.transfers, ...cluster.node(2).transfers]).toEqual([
			{ token: 1, outcome: "refused", reason: "not-a-voter" },
			{ token: 2, outcome: "refused", reason: "already-leader" },
			{ token: 3, outcome: "refused", reason: "not-a-voter" },
			{ token: 6, outcome: "refused", reason: "transferring" },
			{ token: 4, outcome: "refused", reason: "not-leader" },
		]);
	});

	it("is refused to a target that was not heard lately", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(2 * electionTimeoutMs, around("n3"));
		hand(leader, "n3");
		expect(leader.transfers).toEqual([
			{ token: 1, outcome: "refused", reason: "target-unreachable" },
		]);
	});

	it("lets the leader's followers vote although they hear it: it asked for that itself (P37, P35)", () => {
		const cluster = new TinyCluster(5);
		const leader = cluster.elect(1);
		leader.tick(heartbeatIntervalMs);
		cluster.settle();
		hand(leader, "n2");
		cluster.settle(around("n5"));
		expect(cluster.node(2).role).toBe("leader");
	});
});

describe("the order to campaign", () => {
	it("is not followed by a learner (P38)", () => {
		const cluster = new TinyCluster(2, { learners: 1 });
		cluster.elect(1);
		const learner = cluster.node(3);
		learner.step({ type: "timeout-now", from: "n1", to: "n3", term: 2 });
		expect(learner.role).toBe("follower");
		expect(learner.term).toBe(2);
	});

	it("is not followed when it comes from an earlier term, or from another than the leader (P38)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const follower = cluster.node(2);
		follower.step({ type: "timeout-now", from: "n1", to: "n2", term: 1 });
		follower.step({ type: "timeout-now", from: "n3", to: "n2", term: 2 });
		expect(follower.role).toBe("follower");
		follower.step({ type: "timeout-now", from: "n1", to: "n2", term: 2 });
		expect(follower.role).toBe("candidate");
	});
});
