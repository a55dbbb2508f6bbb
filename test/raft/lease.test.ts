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
				...{ commit: 2, read: 0, stamp: 0 },
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
