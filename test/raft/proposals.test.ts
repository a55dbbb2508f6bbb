import { describe, expect, it } from "vitest";
import { entryHeaderBytes } from "../../src/raft/codec.js";
import {
	around,
	electionTimeoutMs,
	entry,
	kind,
	TinyCluster,
} from "./cluster.js";

describe("a proposal", () => {
	it("ends as committed, with its index, once for each batch", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		expect(leader.propose(10, 1, 1, 1)).toBeNull();
		cluster.settle();
		expect(leader.proposals).toEqual([
			{ token: 10, count: 3, outcome: "committed", index: 3 },
		]);
	});

	it("is refused by whoever does not lead", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		expect(cluster.node(2).propose(1)).toBe("not-leader");
		expect(cluster.node(2).proposals).toEqual([]);
	});

	it("ends as lost when another entry is committed in its place (P59)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1, 1, 1);
		cluster.drop();
		cluster.pass(3 * electionTimeoutMs, around("n1"));
		const successor = cluster.nodes.find((node) => node.role === "leader");
		successor?.propose(50, 1);
		cluster.pass(electionTimeoutMs);
		expect(leader.proposals).toEqual([
			{ token: 1, count: 2, outcome: "lost", index: 3 },
		]);
		expect(leader.terms).toEqual(successor?.terms);
	});

	it("ends as committed on the node that took it even when a later leader commits it (P59)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1);
		cluster.deliver(kind("append-request"));
		cluster.drop();
		cluster.pass(3 * electionTimeoutMs, around("n1"));
		cluster.pass(electionTimeoutMs);
		expect(leader.role).toBe("follower");
		expect(leader.proposals).toEqual([
			{ token: 1, count: 1, outcome: "committed", index: 3 },
		]);
	});

	it("ends as unknown when its time is over and nobody can tell (P59)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1, 1, 1);
		cluster.drop();
		cluster.pass(6000, around("n1"));
		expect(leader.proposals).toEqual([
			{ token: 1, count: 2, outcome: "unknown", index: 3 },
		]);
	});

	it("ends once, though both a commit and its deadline come", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1);
		cluster.drop();
		cluster.pass(6000, around("n1"));
		cluster.pass(6000);
		expect(leader.proposals).toHaveLength(1);
	});
});

describe("the bytes that are not committed", () => {
	it("are limited: more is refused until some are committed (P56)", () => {
		const cluster = new TinyCluster(3, {
			options: { maxUncommittedBytes: 300 },
		});
		const leader = cluster.elect(1);
		expect(leader.propose(1, 100)).toBeNull();
		expect(leader.propose(2, 100)).toBeNull();
		expect(leader.propose(3, 100)).toBe("too-many-uncommitted");
		cluster.settle();
		expect(leader.propose(3, 100)).toBeNull();
	});

	it("may be exceeded by a batch that is alone, or it could never be taken", () => {
		const cluster = new TinyCluster(3, {
			options: { maxUncommittedBytes: 300 },
		});
		const leader = cluster.elect(1);
		expect(leader.propose(1, 1000)).toBeNull();
		cluster.settle();
		expect(leader.proposals).toMatchObject([
			{ token: 1, outcome: "committed" },
		]);
	});

	it("are counted exactly through truncation and a change of term (P56)", () => {
		const cluster = new TinyCluster(3);
		const follower = cluster.node(2);
		const bytes = () => follower.raft.status().uncommittedBytes;
		const send = (
			term: number,
			sizes: readonly number[],
			prev: readonly [number, number],
			commit: number,
		) =>
			follower.step({
				type: "append-request",
				from: "n1",
				to: "n2",
				term,
				session: term,
				prevIndex: prev[0],
				prevTerm: prev[1],
				entries: sizes.map((size, at) => entry(prev[0] + 1 + at, term, size)),
				commit,
			});
		send(2, [10, 20, 30], [1, 1], 1);
		expect(bytes()).toBe(60 + 3 * entryHeaderBytes);
		send(3, [5], [2, 2], 2);
		expect(bytes()).toBe(5 + entryHeaderBytes);
		send(3, [7], [3, 3], 4);
		expect(bytes()).toBe(0);
	});
});
