import { describe, expect, it } from "vitest";
import {
	around,
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

describe("a pre-vote", () => {
	it("changes neither term, vote nor timer of who is asked (P34)", () => {
		const cluster = new TinyCluster(3);
		const voter = cluster.node(2);
		const before = voter.raft.status();
		const ask = () =>
			voter.step({
				type: "vote-request",
				from: "n3",
				to: "n2",
				term: 1,
				pre: true,
				transfer: false,
				attempt: 1,
				lastIndex: 1,
				lastTerm: 1,
			});
		for (
			let waitedMs = 0;
			waitedMs < soon && voter.role === "follower";
			waitedMs += heartbeatIntervalMs
		) {
			ask();
			expect(voter.raft.status()).toEqual(before);
			voter.tick(heartbeatIntervalMs);
		}
		expect(voter.role).toBe("pre-candidate");
		expect(cluster.drop(kind("vote-response"))).toContainEqual(
			expect.objectContaining({ granted: true, pre: true }),
		);
	});

	it("raises nobody's term while it cannot be won, however long it is tried (P35)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		cluster.pass(10 * electionTimeoutMs, around("n3"));
		expect(cluster.node(3).role).toBe("pre-candidate");
		expect(cluster.nodes.map((node) => node.term)).toEqual([2, 2, 2]);
		cluster.pass(electionTimeoutMs);
		expect(cluster.node(1).role).toBe("leader");
		expect(cluster.nodes.map((node) => node.term)).toEqual([2, 2, 2]);
	});

	it("is refused by who hears a leader, and by who has more of the log (P34, P35)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const voter = cluster.node(2);
		const { lastIndex, lastTerm } = voter.raft.status();
		const ask = (index: number, term: number) => {
			voter.step({
				type: "vote-request",
				from: "n3",
				to: "n2",
				term: 2,
				pre: true,
				transfer: false,
				attempt: 1,
				lastIndex: index,
				lastTerm: term,
			});
			return cluster.drop(kind("vote-response"));
		};
		expect(ask(lastIndex, lastTerm)).toMatchObject([{ granted: false }]);
		for (let beat = 0; beat < 10; beat++) voter.tick(heartbeatIntervalMs);
		expect(ask(lastIndex - 1, lastTerm)).toMatchObject([{ granted: false }]);
		expect(ask(lastIndex + 5, lastTerm - 1)).toMatchObject([
			{ granted: false },
		]);
		expect(ask(lastIndex, lastTerm)).toMatchObject([{ granted: true }]);
	});

	it("counts when it comes from a voter that is a term behind", () => {
		const cluster = new TinyCluster(3);
		const node = cluster.node(1);
		node.step({
			type: "heartbeat",
			from: "n3",
			to: "n1",
			term: 2,
			session: 1,
			commit: 1,
			read: 0,
		});
		cluster.drop();
		for (let beat = 0; beat < 30 && node.role !== "leader"; beat++) {
			node.tick(heartbeatIntervalMs);
			cluster.settle(around("n3"));
		}
		expect(node.role).toBe("leader");
	});

	it("counts only for the campaign that asked, not for the next one (P34)", () => {
		const cluster = new TinyCluster(3);
		const node = cluster.node(1);
		const campaign = () => {
			while (cluster.wire.filter(kind("vote-request")).length === 0)
				node.tick(heartbeatIntervalMs);
			return cluster.drop(kind("vote-request"))[0] as { attempt: number };
		};
		const grant = (attempt: number) =>
			node.step({
				type: "vote-response",
				from: "n2",
				to: "n1",
				term: 1,
				pre: true,
				attempt,
				granted: true,
			});
		const first = campaign();
		const second = campaign();
		expect(second.attempt).not.toBe(first.attempt);
		grant(first.attempt);
		expect(node.role).toBe("pre-candidate");
		grant(second.attempt);
		expect(node.role).toBe("candidate");
	});

	it("is not counted as a vote by one who has become candidate since (P34)", () => {
		const cluster = new TinyCluster(5);
		const node = cluster.node(1);
		while (node.role !== "pre-candidate") node.tick(heartbeatIntervalMs);
		const { attempt } = cluster.drop(kind("vote-request"))[0] as {
			attempt: number;
		};
		const grant = (from: string) =>
			node.step({
				type: "vote-response",
				from,
				to: "n1",
				term: 1,
				pre: true,
				attempt,
				granted: true,
			});
		grant("n2");
		grant("n3");
		expect(node.role).toBe("candidate");
		for (const from of ["n3", "n4", "n5"]) {
			node.step({
				type: "vote-response",
				from,
				to: "n1",
				term: 2,
				pre: true,
				attempt: attempt + 1,
				granted: true,
			});
		}
		expect(node.role).toBe("candidate");
	});
});

describe("a leader that is heard", () => {
	it("is not deposed by a vote request of a higher term, unless it asked for it itself (P35)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const ask = (transfer: boolean) =>
			cluster.node(2).step({
				type: "vote-request",
				from: "n3",
				to: "n2",
				term: 9,
				pre: false,
				transfer,
				attempt: 1,
				lastIndex: 99,
				lastTerm: 8,
			});
		ask(false);
		expect(cluster.node(2).term).toBe(2);
		expect(cluster.wire).toEqual([]);
		ask(true);
		expect(cluster.node(2).term).toBe(9);
	});

	it("steps down when it does not hear a quorum for an election timeout (P35)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(electionTimeoutMs - 2 * heartbeatIntervalMs, around("n1"));
		expect(leader.role).toBe("leader");
		cluster.pass(3 * heartbeatIntervalMs, around("n1"));
		expect(leader.role).not.toBe("leader");
		expect(leader.propose(7)).toBe("not-leader");
	});

	it("comes back as a follower of the new one, and says so to nobody's harm", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		cluster.pass(5 * electionTimeoutMs, around("n1"));
		expect(cluster.node(2).role).toBe("leader");
		cluster.pass(electionTimeoutMs);
		expect(cluster.node(1).raft.status()).toMatchObject({
			role: "follower",
			leader: "n2",
		});
		expect(cluster.node(2).role).toBe("leader");
	});

	it("learns from any later term that its own is over, although nobody depends on it", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		const heartbeat = {
			type: "heartbeat",
			from: "n3",
			to: "n2",
			term: 7,
			session: 1,
			commit: 1,
			read: 0,
		} as const;
		cluster.node(2).step(heartbeat);
		cluster.drop();
		leader.tick(heartbeatIntervalMs);
		cluster.settle(around("n3"));
		expect(leader.raft.status()).toMatchObject({ role: "follower", term: 7 });
	});

	it("gives up when its disk does not answer, and somebody else leads at once (P36)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.sync = false;
		leader.propose(1);
		cluster.pass(1900);
		expect(leader.role).toBe("leader");
		cluster.pass(3 * heartbeatIntervalMs);
		expect(leader.role).toBe("follower");
		expect(
			cluster.nodes
				.filter((node) => node.role === "leader")
				.map((node) => node.id),
		).not.toContain("n1");
		expect(cluster.nodes.some((node) => node.role === "leader")).toBe(true);
	});
});

describe("a node that was away", () => {
	it("reads what waited before it judges its leader (P68)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const follower = cluster.node(2);
		for (let beat = 0; beat < 30; beat++) {
			cluster.node(1).tick(heartbeatIntervalMs);
			cluster.node(3).tick(heartbeatIntervalMs);
			cluster.deliver((message) => message.to !== "n2");
			cluster.settle(
				(message) => message.to === "n2" && message.type !== "heartbeat",
			);
		}
		const termBefore = follower.term;
		follower.tick(3 * electionTimeoutMs);
		expect(follower.role).toBe("follower");
		cluster.node(1).tick(heartbeatIntervalMs);
		cluster.settle();
		for (let beat = 0; beat < 5; beat++) {
			follower.tick(heartbeatIntervalMs / 5);
			expect(follower.role).toBe("follower");
		}
		expect(follower.term).toBe(termBefore);
	});

	it("does not give up leadership for its own absence (P68)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.tick(3 * electionTimeoutMs);
		expect(leader.role).toBe("leader");
		cluster.settle();
		cluster.pass(electionTimeoutMs);
		expect(leader.role).toBe("leader");
		expect(leader.term).toBe(2);
	});

	it("cannot excuse its silence for ever: late ticks again and again are no quorum (P35, P68)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		for (let tick = 0; tick < 20; tick++) {
			leader.tick(
				tick % 2 === 0 ? 0.6 * electionTimeoutMs : heartbeatIntervalMs,
			);
			cluster.drop();
		}
		expect(leader.role).not.toBe("leader");
	});

	it("gives it up all the same when nobody answers after its return", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.tick(3 * electionTimeoutMs);
		cluster.pass(electionTimeoutMs, around("n1"));
		expect(leader.role).not.toBe("leader");
	});
});
