import { describe, expect, it } from "vitest";
import type { VoteRequest } from "../../src/raft/types.js";
import {
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
} from "./cluster.js";

function ballot(term: number, to: string, more: Partial<VoteRequest> = {}) {
	return {
		...({ type: "vote-request", from: "n3", to, term, pre: false } as const),
		...{ transfer: false, attempt: 1, lastIndex: 99, lastTerm: term - 1 },
		...more,
	};
}

describe("a voter that has just answered its leader", () => {
	it("votes for nobody else, even when it has come to that candidate's term by other means (P43)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(heartbeatIntervalMs);
		const voter = cluster.node(2);
		// An answer to an old pre-vote of its own, from a candidate that is in a later term.
		voter.step({
			...{ type: "vote-response", from: "n3", to: "n2", term: 3 },
			...{ pre: true, attempt: 1, granted: false },
		});
		voter.step(ballot(3, "n2"));
		expect(leader.raft.holdsLease(leader.nowMs)).toBe(true);
		expect(cluster.wire.filter(kind("vote-response", "n2"))).not.toContainEqual(
			expect.objectContaining({ granted: true }),
		);
	});

	it("does not campaign within an election timeout of when it heard it, however long ago its last tick was (P43)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const voter = cluster.node(2);
		cluster.drop();
		voter.tick(heartbeatIntervalMs);
		const heardMs = voter.nowMs + 400;
		voter.raft.step(
			{
				...{ type: "heartbeat", from: "n1", to: "n2", term: 2, session: 1 },
				...{ commit: 2, read: 0, stamp: 0, currentCommit: 0, currentStamp: 0 },
			},
			heardMs,
		);
		voter.run();
		let campaignedMs = 0;
		while (campaignedMs === 0) {
			voter.tick(heartbeatIntervalMs / 4);
			if (voter.role === "pre-candidate") campaignedMs = voter.nowMs;
		}
		expect(campaignedMs - heardMs).toBeGreaterThanOrEqual(electionTimeoutMs);
	});
});

describe("a lease", () => {
	it("is shorter than an election timeout by what clocks may drift, counted from the second newest answer of three", () => {
		for (const maxClockDrift of [0, 0.1, 0.5]) {
			const cluster = new TinyCluster(3, { options: { maxClockDrift } });
			const leader = cluster.elect(1);
			cluster.settle();
			const only = (id: string) => (message: { from: string; to: string }) =>
				![message.from, message.to].includes(id);
			cluster.pass(heartbeatIntervalMs, only("n2"));
			const sentMs = leader.nowMs;
			cluster.pass(heartbeatIntervalMs, () => true);
			const lengthMs = electionTimeoutMs * (1 - maxClockDrift);
			expect(leader.raft.holdsLease(sentMs + lengthMs - 1)).toBe(true);
			expect(leader.raft.holdsLease(sentMs + lengthMs)).toBe(false);
		}
	});

	it("needs, while the configuration is joint, a majority of the old voters and one of the new", () => {
		const cluster = new TinyCluster(3, { learners: 2 });
		const leader = cluster.elect(1);
		cluster.pass(2 * heartbeatIntervalMs);
		leader.change(1, [
			{ type: "remove", id: "n2" },
			{ type: "remove", id: "n3" },
			{ type: "promote", id: "n4" },
			{ type: "promote", id: "n5" },
		]);
		cluster.drop();
		const lapse = (...silent: string[]) => {
			const lost = (message: { from: string; type: string }) =>
				silent.includes(message.from) || message.type === "append-response";
			cluster.pass(5 * heartbeatIntervalMs, lost);
			return leader.raft.holdsLease(leader.nowMs + electionTimeoutMs / 2);
		};
		expect(lapse()).toBe(true);
		expect(lapse("n4", "n5")).toBe(false);
		expect(lapse()).toBe(true);
		expect(lapse("n2", "n3")).toBe(false);
	});

	it("is nobody's but the leader's, and counts no member whose log went back (P31)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(heartbeatIntervalMs);
		expect(leader.raft.holdsLease(leader.nowMs)).toBe(true);
		expect(cluster.node(2).raft.holdsLease(0)).toBe(false);
		leader.raft.distrust(new Set(["n2"]));
		expect(leader.raft.holdsLease(leader.nowMs)).toBe(true);
		leader.raft.distrust(new Set(["n2", "n3"]));
		expect(leader.raft.holdsLease(leader.nowMs)).toBe(false);
	});
});
