import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/raft/types.js";
import {
	around,
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
} from "./cluster.js";

describe("a fetch", () => {
	/** n2 is far behind, and the leader has what it lacks on disk only. */
	function behind() {
		const cluster = new TinyCluster(3, {
			options: { windowBytes: 64, maxMessageBytes: 200 },
		});
		const leader = cluster.elect(1);
		for (let token = 1; token <= 20; token++) {
			leader.propose(token, 50);
			cluster.settle(around("n2"));
		}
		leader.raft.unreachable("n2");
		cluster.drop();
		leader.fetches.length = 0;
		leader.tick(heartbeatIntervalMs);
		cluster.settle();
		const fetch = leader.fetches[0];
		if (fetch === undefined) throw new Error("nothing was fetched");
		return { cluster, leader, fetch };
	}

	it("asks for what is no longer in memory, and sends what it is given", () => {
		const { cluster, leader, fetch } = behind();
		expect(fetch).toMatchObject({ to: "n2", first: 3 });
		expect(leader.raft.entries(fetch.first, fetch.last)).toBeNull();
		for (let rounds = 0; leader.fetches.length > 0 && rounds < 50; rounds++) {
			const { first, last } = leader.fetches[0] as typeof fetch;
			const request = leader.fetches.shift() as typeof fetch;
			leader.raft.fetched(
				request,
				leader.disk.entries.slice(first - 1, Math.min(last, first + 1)),
			);
			leader.run();
			cluster.settle();
		}
		expect(cluster.node(2).terms).toEqual(leader.terms);
	});

	it.each([
		["nothing", () => []],
		["entries of another place", (entries: Entry[]) => entries.slice(1)],
		[
			"entries of another term",
			(entries: Entry[]) => entries.map((each) => ({ ...each, term: 9 })),
		],
		[
			"a hole",
			(entries: Entry[]) => [...entries.slice(0, 1), ...entries.slice(2)],
		],
	])(
		"that is answered with %s sends nothing, and is asked again (P55)",
		(_, damage) => {
			const { cluster, leader, fetch } = behind();
			const entries = leader.disk.entries.slice(
				fetch.first - 1,
				fetch.first + 2,
			);
			leader.fetches.length = 0;
			leader.raft.fetched(fetch, damage(entries));
			leader.run();
			expect(cluster.wire.filter(kind("append-request", "n1", "n2"))).toEqual(
				[],
			);
			cluster.pass(2 * heartbeatIntervalMs);
			expect(leader.fetches).toContainEqual(fetch);
		},
	);

	it("that fails is asked again after the next heartbeat, not at once", () => {
		const { cluster, leader, fetch } = behind();
		leader.fetches.length = 0;
		leader.raft.fetchFailed(fetch);
		leader.run();
		expect(leader.fetches).toEqual([]);
		cluster.pass(2 * heartbeatIntervalMs);
		expect(leader.fetches).toContainEqual(fetch);
	});

	it("that is answered after its first entry was compacted away sends nothing (P49)", () => {
		const { cluster, leader, fetch } = behind();
		const { first } = fetch;
		const entries = leader.disk.entries.slice(first - 1, first + 2);
		leader.snapshot(leader.raft.status().applied);
		// Now the term before the first entry is forgotten, but not that of the first.
		leader.compact(first);
		cluster.drop();
		leader.raft.fetched(fetch, entries);
		leader.run();
		expect(cluster.wire.filter(kind("append-request", "n1", "n2"))).toEqual([]);
		cluster.pass(2 * heartbeatIntervalMs);
		expect(cluster.node(2).download).not.toBeNull();
	});

	it("of an earlier leadership is not answered into a later one (P52)", () => {
		const { cluster, leader, fetch } = behind();
		cluster.pass(3 * electionTimeoutMs, around("n1"));
		cluster.pass(electionTimeoutMs);
		leader.raft.fetched(
			fetch,
			leader.disk.entries.slice(fetch.first - 1, fetch.last),
		);
		leader.run();
		expect(cluster.wire.filter(kind("append-request", "n1"))).toEqual([]);
	});
});
