import { describe, expect, it } from "vitest";
import { EntryKind } from "../../src/raft/types.js";
import {
	around,
	electionTimeoutMs,
	entry,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
	type TinyNode,
} from "./cluster.js";

/** An append of a leader that is not there, for a follower alone. */
function append(
	node: TinyNode,
	term: number,
	prev: readonly [number, number],
	terms: readonly number[],
	commit = 1,
): void {
	const [prevIndex, prevTerm] = prev;
	const entries = terms.map((each, at) => entry(prevIndex + 1 + at, each));
	node.step({
		type: "append-request",
		from: "n1",
		to: node.id,
		term,
		session: term,
		prevIndex,
		prevTerm,
		entries,
		commit,
	});
}

describe("an acknowledgement", () => {
	it("of a follower leaves only after its entries are on disk (P2)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const follower = cluster.node(2);
		follower.sync = false;
		cluster.node(1).propose(1);
		cluster.deliver(kind("append-request", "n1", "n2"));
		expect(cluster.wire.filter(kind("append-response", "n2"))).toEqual([]);
		follower.syncNow();
		expect(cluster.wire.filter(kind("append-response", "n2"))).toMatchObject([
			{ success: true, match: 3 },
		]);
		expect(follower.disk.entries).toHaveLength(3);
	});

	it("of the leader to itself counts only once its own disk has the entry (P3)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.sync = false;
		leader.propose(1);
		cluster.deliver(kind("append-request", "n1", "n2"));
		cluster.drop(around("n3"));
		cluster.settle(around("n3"));
		expect(leader.commit).toBe(2);
		leader.syncNow();
		expect(leader.commit).toBe(3);
	});

	it("is not needed from the leader's own disk when the others are a quorum, yet nothing is applied there (P3, P9)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.sync = false;
		leader.propose(1);
		cluster.settle();
		expect(leader.commit).toBe(3);
		expect(leader.applied.map(({ index }) => index)).not.toContain(3);
		expect(leader.proposals).toEqual([]);
		leader.syncNow();
		expect(leader.applied.at(-1)?.index).toBe(3);
		expect(leader.proposals).toEqual([
			{ token: 1, count: 1, outcome: "committed", index: 3 },
		]);
	});
});

describe("a write", () => {
	it("carries term, vote and entries as one unit, numbered without a gap (P4)", () => {
		const cluster = new TinyCluster(3);
		const follower = cluster.node(2);
		append(follower, 4, [1, 1], [3, 4]);
		append(follower, 5, [2, 3], [5]);
		expect(follower.writes.map(({ sequence }) => sequence)).toEqual([1, 2]);
		expect(follower.writes[0]).toMatchObject({
			hardState: { term: 4, votedFor: null },
			entries: [{ index: 2 }, { index: 3 }],
			sync: true,
		});
		expect(follower.disk.hardState.term).toBe(5);
		expect(follower.terms).toEqual([1, 3, 5]);
	});

	it("that was never handed in cannot be reported as done (P4)", () => {
		const cluster = new TinyCluster(3);
		expect(() => cluster.node(1).raft.appended(1)).toThrow(/never handed in/);
	});

	it("of entries that were overwritten since makes nothing newer durable (P5)", () => {
		const cluster = new TinyCluster(3);
		const follower = cluster.node(2);
		follower.sync = false;
		append(follower, 2, [1, 1], [2, 2, 2]);
		append(follower, 3, [1, 1], [3]);
		append(follower, 4, [1, 1], [4, 4, 4]);
		follower.syncNow(1);
		expect(follower.raft.status().durableIndex).toBe(1);
		follower.syncNow(1);
		expect(follower.raft.status().durableIndex).toBe(1);
		expect(
			cluster.wire
				.filter(kind("append-response", "n2"))
				.filter(({ term }) => term === 4),
		).toEqual([]);
		follower.syncNow(1);
		expect(follower.raft.status().durableIndex).toBe(4);
		expect(follower.terms).toEqual([1, 4, 4, 4]);
	});

	it("of nothing but the commit hint needs no fsync, and comes seldom (P10)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		cluster.node(1).propose(1);
		cluster.settle();
		cluster.pass(5000);
		const { writes, disk } = cluster.node(2);
		const hints = writes.filter((write) => !write.sync);
		expect(hints).toHaveLength(1);
		expect(hints[0]?.entries).toEqual([]);
		expect(disk.hardState.commit).toBe(3);
	});
});

describe("a restart", () => {
	it("keeps term, vote and log, and applies again what is committed, in order (P9)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		cluster.node(1).propose(1, 1, 1);
		cluster.settle();
		cluster.pass(3 * electionTimeoutMs);
		const follower = cluster.node(2);
		const before = follower.raft.status();
		follower.restart();
		const { term, lastIndex, lastTerm, votedFor } = follower.raft.status();
		expect({ term, lastIndex, lastTerm, votedFor }).toEqual({
			term: before.term,
			lastIndex: before.lastIndex,
			lastTerm: before.lastTerm,
			votedFor: before.votedFor,
		});
		cluster.pass(2 * heartbeatIntervalMs);
		expect(follower.applied.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
	});

	it("finds the configuration that is in the log, committed or not (P22)", () => {
		const cluster = new TinyCluster(3);
		const follower = cluster.node(2);
		follower.restart();
		expect(follower.raft.status()).toMatchObject({
			configurationIndex: 1,
			configuration: { voters: ["n1", "n2", "n3"] },
		});
		expect(follower.disk.entries[0]?.kind).toBe(EntryKind.configuration);
	});
});
