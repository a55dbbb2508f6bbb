import { describe, expect, it } from "vitest";
import type { Message } from "../../src/raft/types.js";
import {
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
} from "./cluster.js";

describe("a joint configuration", () => {
	/** The joint configuration is committed, and its end is on the disk of n1 alone, which is to be no voter any more. */
	function halfLeft() {
		const cluster = new TinyCluster(1, { learners: 1 });
		const leader = cluster.elect(1);
		cluster.settle();
		cluster.pass(heartbeatIntervalMs);
		leader.change(
			1,
			[
				{ type: "promote", id: "n2" },
				{ type: "remove", id: "n1" },
			],
			{ waived: ["catch-up"] },
		);
		cluster.deliver(kind("append-request"));
		cluster.deliver(kind("append-response"));
		cluster.drop();
		const successor = cluster.node(2);
		expect(leader.raft.status().configuration.outgoing).toEqual([]);
		expect(successor.raft.status().configuration.outgoing).toEqual(["n1"]);
		return { cluster, leader, successor };
	}

	it("is left although only who is no voter after it holds its end: that one may lead once more", () => {
		const { cluster, leader, successor } = halfLeft();
		leader.restart();
		cluster.pass(10 * electionTimeoutMs);
		expect(leader.role).toBe("follower");
		expect(successor.role).toBe("leader");
		expect(successor.raft.status().configuration).toMatchObject({
			voters: ["n2"],
			outgoing: [],
		});
	});

	it("lets nobody campaign whose removal is committed", () => {
		const { cluster, leader } = halfLeft();
		leader.tick(heartbeatIntervalMs);
		cluster.settle();
		cluster.pass(electionTimeoutMs);
		expect(leader.commit).toBe(leader.raft.status().lastIndex);
		const { term } = leader;
		leader.restart();
		for (let beat = 0; beat < 40; beat++) leader.tick(heartbeatIntervalMs);
		expect(cluster.wire.filter(kind("vote-request", "n1"))).toEqual([]);
		expect(leader.term).toBe(term);
	});

	/** n2 was asked to campaign; then others commit the joint configuration. */
	function joinedWhileHandingOver() {
		const cluster = new TinyCluster(5);
		const leader = cluster.elect(1);
		cluster.settle();
		cluster.pass(heartbeatIntervalMs);
		leader.change(1, [{ type: "remove", id: "n5" }]);
		cluster.deliver(kind("append-request"));
		cluster.deliver(kind("append-response", "n2"));
		leader.raft.transferLeadership("n2", 2);
		leader.run();
		const asked = cluster.drop(kind("timeout-now"));
		expect(asked).toMatchObject([{ to: "n2" }]);
		const { lastIndex } = leader.raft.status();
		cluster.settle();
		expect(leader.commit).toBe(lastIndex);
		return { cluster, leader, lastIndex };
	}

	it("is not left while somebody is asked to campaign, who would be behind (P37)", () => {
		const { leader, lastIndex } = joinedWhileHandingOver();
		expect(leader.raft.status().lastIndex).toBe(lastIndex);
	});

	it("is left when the transfer has failed (P37)", () => {
		const { cluster, leader } = joinedWhileHandingOver();
		cluster.pass(2 * electionTimeoutMs);
		expect(leader.role).toBe("leader");
		expect(leader.raft.status().configuration.outgoing).toEqual([]);
		expect(leader.changes).toMatchObject([{ token: 1, outcome: "done" }]);
	});

	/**
	 * n1 alone holds that n4 is to vote, n4 alone what came after; who gave it that is gone. Neither n1 nor n3, which holds
	 * the least, can be elected.
	 */
	function newestAtLearner() {
		const cluster = new TinyCluster(3, { learners: 1 });
		const first = cluster.elect(1);
		cluster.pass(heartbeatIntervalMs);
		first.change(1, [{ type: "promote", id: "n4" }], { waived: ["catch-up"] });
		cluster.drop();
		const gone = (message: Message) =>
			message.to === "n1" || message.from === "n1";
		cluster.pass(2 * electionTimeoutMs, (message) => {
			const isEntry = message.type === "append-request";
			return gone(message) || (isEntry && message.to === "n3");
		});
		const second = cluster.node(2);
		const learner = cluster.node(4);
		expect(second.role).toBe("leader");
		expect(learner.raft.status().lastTerm).toBe(second.term);
		expect(cluster.node(3).raft.status().lastTerm).toBeLessThan(second.term);
		cluster.nodes.splice(1, 1);
		return { cluster, learner };
	}

	it("does not leave a cluster without a leader because a learner alone holds the newest entries (P27)", () => {
		const { cluster, learner } = newestAtLearner();
		cluster.pass(20 * electionTimeoutMs);
		expect(learner.role).toBe("follower");
		const leaders = cluster.nodes.filter(({ role }) => role === "leader");
		expect(leaders.map(({ id }) => id)).not.toEqual([]);
		const [leader] = leaders;
		expect(leader?.raft.status().configuration.voters).toContain(leader?.id);
		expect(leader?.commit).toBe(leader?.raft.status().lastIndex);
	});

	it("makes no candidate of a learner that hears its leader, or is asked by one that holds as much (P27, P38)", () => {
		const { cluster, learner } = newestAtLearner();
		const { lastIndex, lastTerm } = learner.raft.status();
		const ask = (lack: number) => {
			const question = { pre: true, transfer: false, attempt: 1, lastTerm };
			const asked = { type: "vote-request", from: "n1", to: "n4" } as const;
			const term = learner.term;
			learner.step({
				...{ ...asked, ...question, term },
				lastIndex: lastIndex - lack,
			});
			return cluster.drop(kind("vote-request", "n4")).length;
		};
		expect(ask(1)).toBe(0);
		for (let beat = 0; beat < 30; beat++) learner.tick(heartbeatIntervalMs);
		expect(ask(0)).toBe(0);
		expect(ask(1)).toBeGreaterThan(0);
	});
});
