import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	around,
	electionTimeoutMs,
	entry,
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

describe("a snapshot that comes from the leader", () => {
	/** A follower alone, whose log has these terms, and of which nothing but the first entry is committed. */
	function followerWith(terms: readonly number[]): TinyNode {
		const follower = new TinyCluster(3).node(3);
		follower.disk.entries.push(
			...terms.slice(1).map((term, at) => entry(at + 2, term)),
		);
		follower.disk.hardState = { term: 9, votedFor: null, commit: 1 };
		follower.restart();
		return follower;
	}

	const configuration = {
		index: 1,
		configuration: {
			...{ voters: ["n1", "n2", "n3"], outgoing: [] },
			...{ learners: [], addresses: {} },
		},
	};

	it("replaces exactly the logs that do not hold its last entry (P45)", () => {
		const terms = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 8 });
		const point = fc.record({
			index: fc.integer({ min: 1, max: 9 }),
			term: fc.integer({ min: 1, max: 3 }),
		});
		fc.assert(
			fc.property(terms, point, (rest, { index, term }) => {
				const log = [1, ...rest.sort((a, b) => a - b)];
				const follower = followerWith(log);
				const used = follower.install({ index, term, configuration });
				const { firstIndex, lastIndex, commit } = follower.raft.status();
				if (index <= 1) {
					expect([used, firstIndex, lastIndex]).toEqual([false, 1, log.length]);
					return;
				}
				const holds = log[index - 1] === term;
				expect({ used, firstIndex, lastIndex, commit }).toEqual({
					...{ used: true, commit: index },
					firstIndex: holds ? 1 : index + 1,
					lastIndex: holds ? log.length : index,
				});
				expect(follower.restored).toHaveLength(holds ? 0 : 1);
				follower.restart();
				expect(follower.raft.status()).toMatchObject({ firstIndex, lastIndex });
			}),
		);
	});

	it("is told to the leader, which goes on from it although it has a newer one by then (P48)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(heartbeatIntervalMs);
		for (let token = 1; token <= 6; token++) {
			leader.propose(token);
			cluster.settle(around("n3"));
		}
		cluster.pass(electionTimeoutMs, around("n3"));
		const { index, term, configuration } = leader.raft.pointAt(4);
		leader.snapshot(4);
		leader.compact(4);
		cluster.pass(3 * heartbeatIntervalMs);
		const follower = cluster.node(3);
		expect(follower.download?.index).toBe(4);
		leader.propose(7);
		cluster.settle();
		leader.snapshot(leader.commit);
		follower.download = null;
		expect(follower.install({ index, term, configuration })).toBe(true);
		cluster.pass(5 * heartbeatIntervalMs);
		expect(follower.download).toBeNull();
		expect(follower.commit).toBe(leader.commit);
	});

	it("brings back no configuration that only the dropped log held (P22)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(heartbeatIntervalMs);
		leader.change(1, [{ type: "remove", id: "n2" }]);
		cluster.drop();
		expect(leader.raft.configuration().index).toBe(3);
		cluster.pass(2 * electionTimeoutMs, () => true);
		expect(leader.role).not.toBe("leader");
		leader.install({ index: 5, term: 4, configuration });
		expect(leader.raft.configuration()).toEqual(configuration);
		leader.restart();
		expect(leader.raft.configuration()).toEqual(configuration);
	});

	it("keeps a node from campaigning until its state machine stands where its log begins (P39)", () => {
		const { raft } = followerWith([1]);
		raft.install({ index: 5, term: 4, configuration });
		let nowMs = 0;
		const wait = () => {
			for (let beat = 0; beat < 30; beat++) {
				nowMs += heartbeatIntervalMs;
				raft.tick(nowMs);
			}
			return raft.status().role;
		};
		expect(wait()).toBe("follower");
		raft.appended(raft.ready().afterSequence);
		expect(wait()).toBe("follower");
		raft.applied(5);
		expect(wait()).toBe("pre-candidate");
	});

	it("ends the proposals that it covers as unknown, and leaves those behind it open (P59)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(heartbeatIntervalMs);
		leader.propose(1, 1, 1, 1);
		cluster.drop();
		cluster.pass(electionTimeoutMs + 3 * heartbeatIntervalMs, () => true);
		expect(leader.role).not.toBe("leader");
		expect(leader.proposals).toEqual([]);
		leader.install({ index: 4, term: 4, configuration });
		expect(leader.proposals).toEqual([
			{ token: 1, count: 2, index: 3, outcome: "unknown" },
		]);
		leader.step({
			...{ type: "append-request", from: "n2", to: "n1", term: 4 },
			...{ session: 1, prevIndex: 4, prevTerm: 4, commit: 5 },
			entries: [entry(5, 4)],
		});
		expect(leader.proposals.slice(1)).toEqual([
			{ token: 3, count: 1, index: 5, outcome: "lost" },
		]);
	});
});

describe("how far a leader must keep its log", () => {
	it("is what the slowest follower that is heard still needs, or the snapshot that it was offered (P47)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		cluster.pass(heartbeatIntervalMs);
		expect(leader.raft.neededFrom()).toBe(3);
		for (let token = 1; token <= 4; token++) {
			leader.propose(token);
			cluster.settle(around("n3"));
		}
		expect(leader.raft.neededFrom()).toBe(3);
		// One that is silent holds up nothing.
		cluster.pass(electionTimeoutMs, around("n3"));
		expect(leader.raft.neededFrom()).toBe(7);
		leader.snapshot(5);
		leader.compact(5);
		cluster.pass(3 * heartbeatIntervalMs);
		expect(progressOf(leader, "n3").state).toBe("snapshot");
		expect(leader.raft.neededFrom()).toBe(6);
	});

	it("is nothing for a node that has no followers", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		expect(cluster.node(2).raft.neededFrom()).toBe(Number.POSITIVE_INFINITY);
	});
});
