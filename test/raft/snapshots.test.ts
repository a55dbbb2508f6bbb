import { describe, expect, it } from "vitest";
import {
	around,
	electionTimeoutMs,
	heartbeatIntervalMs,
	kind,
	TinyCluster,
	type TinyNode,
} from "./cluster.js";

function progressOf(leader: TinyNode, id: string) {
	const found = leader.raft.status().followers.find((one) => one.id === id);
	if (found === undefined) throw new Error(`${leader.id} has no ${id}`);
	return found;
}

describe("a leader whose log was compacted", () => {
	it("asks nobody about an entry whose term it no longer knows, a full window notwithstanding (P49, P50)", () => {
		const cluster = new TinyCluster(3, {
			options: { maxInflightMessages: 2 },
		});
		const leader = cluster.elect(1);
		for (let count = 0; count < 4; count++) {
			leader.propose(1);
			cluster.settle(around("n3"));
		}
		expect(progressOf(leader, "n3")).toMatchObject({
			state: "replicate",
			match: 2,
			next: 5,
		});
		cluster.pass(electionTimeoutMs, around("n3"));
		leader.snapshot(6);
		leader.compact(6);
		const sent = [];
		for (let beat = 0; beat < 5; beat++) {
			leader.tick(heartbeatIntervalMs);
			sent.push(...cluster.deliver(), ...cluster.deliver());
		}
		expect(sent.filter(kind("append-request", "n1", "n3"))).toEqual([]);
		expect(sent.filter(kind("snapshot-offer", "n1", "n3"))).not.toEqual([]);
		expect(progressOf(leader, "n3").state).toBe("snapshot");
		expect(cluster.node(3).download).toEqual({ from: "n1", index: 6, term: 2 });
	});
});

describe("a follower whose log was compacted beyond what its leader knows it to have", () => {
	it("takes entries that begin before its log and end behind it", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		const follower = cluster.node(2);
		const lost = kind("append-response", "n2", "n1");
		leader.propose(1);
		cluster.settle(lost);
		leader.propose(2);
		cluster.settle(lost);
		cluster.pass(2 * heartbeatIntervalMs, lost);
		leader.propose(3);
		cluster.settle(lost);
		expect(follower.commit).toBe(4);
		expect(progressOf(leader, "n2").match).toBe(2);
		follower.snapshot(4);
		follower.compact(4);
		leader.raft.unreachable("n2");
		cluster.pass(5 * heartbeatIntervalMs);
		expect(progressOf(leader, "n2")).toMatchObject({
			state: "replicate",
			match: 5,
		});
		expect(follower.commit).toBe(5);
	});
});
