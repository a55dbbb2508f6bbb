import { describe, expect, it } from "vitest";
import type { ReadRequest } from "../../src/raft/types.js";
import { electionTimeoutMs, kind, TinyCluster } from "./cluster.js";

describe("a read on a follower", () => {
	it("is answered by the leader's index", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1).propose(1);
		cluster.settle();
		const follower = cluster.node(2);
		follower.raft.readIndex(7);
		follower.run();
		cluster.settle();
		expect(follower.reads).toEqual([{ token: 7, index: 3 }]);
	});

	it("fails at once while there is no leader", () => {
		const cluster = new TinyCluster(3);
		cluster.node(2).raft.readIndex(7);
		cluster.node(2).run();
		expect(cluster.node(2).reads).toEqual([{ token: 7, index: null }]);
	});

	it("fails at once when another leader is heard", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const follower = cluster.node(2);
		follower.raft.readIndex(7);
		follower.run();
		follower.step({
			type: "heartbeat",
			from: "n3",
			to: "n2",
			term: 5,
			session: 1,
			commit: 1,
			read: 0,
			stamp: 0,
			currentCommit: 0,
			currentStamp: 0,
		});
		expect(follower.reads).toEqual([{ token: 7, index: null }]);
	});

	it("fails when the asked node no longer leads, and when nobody answers", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const follower = cluster.node(2);
		follower.raft.readIndex(7);
		follower.run();
		cluster.drop(kind("read-request"));
		cluster.pass(6 * electionTimeoutMs);
		expect(follower.reads).toEqual([{ token: 7, index: null }]);
		follower.step({
			type: "read-request",
			from: "n3",
			to: "n2",
			term: 2,
			sequence: 1,
		});
		expect(cluster.wire).toMatchObject([
			{ type: "read-response", sequence: 1, index: null },
		]);
	});

	it("is not answered by what an earlier life of it had asked (P41)", () => {
		const cluster = new TinyCluster(3);
		cluster.elect(1);
		const dice = [0.25, 0.75];
		const before = new TinyCluster(3, {
			options: { random: () => dice[0] as number },
		}).node(2);
		const after = new TinyCluster(3, {
			options: { random: () => dice[1] as number },
		}).node(2);
		const sequences = [before, after].map((node) => {
			node.step({
				type: "heartbeat",
				from: "n1",
				to: "n2",
				term: 2,
				session: 1,
				commit: 1,
				read: 0,
				stamp: 0,
				currentCommit: 0,
				currentStamp: 0,
			});
			const sent: number[] = [];
			node.raft.readIndex(1);
			for (const message of node.raft.ready().messages)
				if (message.type === "read-request")
					sent.push((message as ReadRequest).sequence);
			return sent;
		});
		expect(sequences.map((sent) => sent.length)).toEqual([1, 1]);
		expect(sequences[0]).not.toEqual(sequences[1]);
	});
});
