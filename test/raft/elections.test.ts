import { describe, expect, it } from "vitest";
import {
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
} from "./cluster.js";

const soon = 2 * electionTimeoutMs;

describe("an election", () => {
	it("makes one leader, whom the others follow, and whose no-op is committed", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(heartbeatIntervalMs);
		expect(cluster.nodes.map((node) => node.role)).toEqual([
			"leader",
			"follower",
			"follower",
		]);
		expect(cluster.nodes.map((node) => node.raft.status().leader)).toEqual([
			"n1",
			"n1",
			"n1",
		]);
		expect(cluster.nodes.map((node) => node.commit)).toEqual([2, 2, 2]);
		expect(leader.terms).toEqual([1, 2]);
	});

	it("is won alone by the only voter, once its vote is on disk (P3)", () => {
		const cluster = new TinyCluster(1);
		const node = cluster.node(1);
		node.sync = false;
		node.tick(soon);
		node.tick(soon);
		node.tick(heartbeatIntervalMs);
		expect(node.role).toBe("candidate");
		node.syncNow();
		expect(node.role).toBe("leader");
		expect(node.commit).toBe(1);
		node.syncNow();
		expect(node.commit).toBe(2);
	});
});

describe("a vote", () => {
	it("is told only after it is on disk (P1)", () => {
		const cluster = new TinyCluster(2);
		const voter = cluster.node(2);
		voter.sync = false;
		cluster.node(1).tick(electionTimeoutMs / 2);
		cluster.node(1).tick(electionTimeoutMs / 2);
		cluster.deliver(kind("vote-request"));
		cluster.deliver(kind("vote-response"));
		expect(cluster.node(1).role).toBe("candidate");
		cluster.deliver(kind("vote-request"));
		expect(cluster.wire.filter(kind("vote-response"))).toEqual([]);
		expect(voter.disk.hardState).toMatchObject({ term: 1, votedFor: null });
		voter.syncNow();
		expect(voter.disk.hardState).toMatchObject({ term: 2, votedFor: "n1" });
		expect(cluster.wire.filter(kind("vote-response"))).toMatchObject([
			{ granted: true, pre: false },
		]);
	});

	it("is given once in a term, a restart in between notwithstanding (P1)", () => {
		const cluster = new TinyCluster(3);
		const voter = cluster.node(3);
		const ask = (from: string, attempt: number) => {
			voter.step({
				type: "vote-request",
				from,
				to: "n3",
				term: 5,
				pre: false,
				transfer: false,
				attempt,
				lastIndex: 9,
				lastTerm: 4,
			});
			return cluster.drop(kind("vote-response", "n3"));
		};
		expect(ask("n1", 1)).toMatchObject([{ to: "n1", granted: true }]);
		voter.restart();
		// Before its restart it may have answered a leader that counts on its silence (P43).
		expect(ask("n1", 2)).toEqual([]);
		for (let beat = 0; beat < 10; beat++) voter.tick(heartbeatIntervalMs);
		expect(ask("n2", 1)).toMatchObject([{ to: "n2", granted: false }]);
		expect(ask("n1", 2)).toMatchObject([{ to: "n1", granted: true }]);
	});

	it("is refused to a log that is behind (paper, section 5.4.1)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1).propose(1, 1, 1);
		cluster.settle();
		const voter = cluster.node(2);
		const last = voter.raft.status();
		const ask = (term: number, lastIndex: number, lastTerm: number) => {
			voter.step({
				type: "vote-request",
				from: "n3",
				to: "n2",
				term,
				pre: false,
				transfer: true,
				attempt: term,
				lastIndex,
				lastTerm,
			});
			return (cluster.drop(kind("vote-response"))[0] as { granted: boolean })
				.granted;
		};
		expect(ask(10, last.lastIndex - 1, last.lastTerm)).toBe(false);
		expect(ask(11, last.lastIndex + 9, last.lastTerm - 1)).toBe(false);
		expect(ask(12, last.lastIndex, last.lastTerm)).toBe(true);
	});

	it("is given by a learner that is asked: it may be a voter and not know it yet (P27)", () => {
		const cluster = new TinyCluster(1, { learners: 1 });
		cluster.node(2).step({
			type: "vote-request",
			from: "n1",
			to: "n2",
			term: 5,
			pre: false,
			transfer: false,
			attempt: 1,
			lastIndex: 1,
			lastTerm: 1,
		});
		expect(cluster.wire).toMatchObject([
			{ type: "vote-response", granted: true },
		]);
	});
});
