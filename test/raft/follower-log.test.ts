import { describe, expect, it } from "vitest";
import {
	around,
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

describe("a follower's log", () => {
	it("is cut only where it contradicts the leader's: an old append takes nothing away (P51)", () => {
		const cluster = new TinyCluster(3);
		const follower = cluster.node(2);
		append(follower, 2, [1, 1], [2, 2, 2, 2]);
		append(follower, 2, [1, 1], [2]);
		append(follower, 2, [1, 1], []);
		expect(follower.terms).toEqual([1, 2, 2, 2, 2]);
		append(follower, 3, [2, 2], [3]);
		expect(follower.terms).toEqual([1, 2, 3]);
	});

	it("commits no further than the append has checked (P8)", () => {
		const cluster = new TinyCluster(3);
		const follower = cluster.node(2);
		append(follower, 2, [1, 1], [2, 2, 2]);
		append(follower, 3, [2, 2], [], 4);
		expect(follower.commit).toBe(2);
		append(follower, 3, [2, 2], [3, 3], 4);
		expect(follower.commit).toBe(4);
		expect(follower.terms).toEqual([1, 2, 3, 3]);
	});

	it("acknowledges no more than the append has checked (P8)", () => {
		const cluster = new TinyCluster(3);
		const follower = cluster.node(2);
		append(follower, 2, [1, 1], [2, 2, 2]);
		cluster.drop();
		append(follower, 3, [2, 2], []);
		expect(cluster.wire).toMatchObject([
			{ type: "append-response", success: true, match: 2 },
		]);
	});
});

describe("a commit", () => {
	it("is told to a follower only as far as that follower matches (P8)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1, 1, 1);
		cluster.settle(around("n3"));
		expect(leader.commit).toBe(4);
		leader.tick(heartbeatIntervalMs);
		const told = cluster.drop(kind("heartbeat", "n1"));
		expect(
			told.map((message) => [
				message.to,
				(message as { commit: number }).commit,
			]),
		).toEqual([
			["n2", 4],
			["n3", 2],
		]);
	});

	it("of an entry of an earlier term waits for one of the leader's own (P7, figure 8)", () => {
		const cluster = new TinyCluster(3);
		const node = cluster.node(1);
		const prior = entry(2, 2);
		node.step({
			type: "append-request",
			from: "n3",
			to: "n1",
			term: 2,
			session: 1,
			prevIndex: 1,
			prevTerm: 1,
			entries: [prior],
			commit: 1,
		});
		cluster.drop();
		for (let beat = 0; beat < 30 && node.role !== "leader"; beat++) {
			for (const each of cluster.nodes.slice(0, 2))
				each.tick(heartbeatIntervalMs);
			cluster.settle((message) => message.type === "append-request");
		}
		expect(node.role).toBe("leader");
		expect(node.terms).toEqual([1, 2, 3]);
		const acknowledge = (match: number) =>
			node.step({
				type: "append-response",
				from: "n2",
				to: "n1",
				term: 3,
				session: 1,
				success: true,
				match,
				rejected: 0,
				hintIndex: 0,
				hintTerm: 0,
			});
		acknowledge(2);
		expect(node.raft.status().followers[0]).toMatchObject({ match: 2 });
		expect(node.commit).toBe(1);
		acknowledge(3);
		expect(node.commit).toBe(3);
	});
});
