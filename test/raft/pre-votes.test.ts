import { describe, expect, it } from "vitest";
import {
	around,
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
} from "./cluster.js";

const soon = 2 * electionTimeoutMs;

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
			stamp: 0,
			currentCommit: 0,
			currentStamp: 0,
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
