import { describe, expect, it } from "vitest";
import {
	around,
	electionTimeoutMs,
	heartbeatIntervalMs,
	TinyCluster,
} from "./cluster.js";

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
			stamp: 0,
			currentCommit: 0,
			currentStamp: 0,
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
