import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/raft/types.js";
import {
	entry,
	heartbeatIntervalMs,
	TinyCluster,
	type TinyNode,
} from "./cluster.js";

function follower(leader: TinyNode, id: string) {
	const status = leader.raft.status().followers.find((one) => one.id === id);
	if (status === undefined)
		throw new Error(`${leader.id} has no follower ${id}`);
	return status;
}

describe("a follower with another log", () => {
	/** Gives n2 a log that n1 does not have, by a leader that is gone. */
	function diverge(cluster: TinyCluster, terms: readonly number[]): void {
		const entries = terms.map((term, at) => entry(2 + at, term));
		const term = terms.at(-1) ?? 1;
		cluster.node(2).step({
			type: "append-request",
			from: "n3",
			to: "n2",
			term,
			session: 1,
			prevIndex: 1,
			prevTerm: 1,
			entries,
			commit: 1,
		});
		cluster.drop();
	}

	it("is brought to the leader's", () => {
		const cluster = new TinyCluster(3);
		diverge(cluster, [2, 2, 2]);
		const leader = cluster.node(1);
		leader.step({
			type: "append-request",
			from: "n3",
			to: "n1",
			term: 3,
			session: 1,
			prevIndex: 1,
			prevTerm: 1,
			entries: [entry(2, 3)],
			commit: 1,
		});
		cluster.drop();
		cluster.elect(1);
		cluster.pass(2 * heartbeatIntervalMs);
		expect(cluster.node(2).terms).toEqual(leader.terms);
		expect(cluster.node(2).terms).not.toContain(2);
	});

	it("is found out in as many round trips as there are terms, not entries (P53)", () => {
		const cluster = new TinyCluster(3, {
			options: {
				windowBytes: 64 * 1024 * 1024,
				maxUncommittedBytes: 64 * 1024 * 1024,
			},
		});
		diverge(cluster, [
			...Array<number>(20_000).fill(2),
			...Array<number>(20_000).fill(3),
		]);
		const leader = cluster.node(1);
		const own: Entry[] = Array.from({ length: 30_000 }, (_, at) =>
			entry(2 + at, 4),
		);
		leader.step({
			type: "append-request",
			from: "n3",
			to: "n1",
			term: 4,
			session: 1,
			prevIndex: 1,
			prevTerm: 1,
			entries: own,
			commit: 1,
		});
		cluster.drop();
		cluster.elect(1);
		let refusals = 0;
		for (
			let rounds = 0;
			rounds < 100 && follower(leader, "n2").state === "probe";
			rounds++
		) {
			leader.tick(heartbeatIntervalMs);
			for (const message of cluster.deliver()) {
				if (
					message.type === "append-response" &&
					message.from === "n2" &&
					!message.success
				)
					refusals++;
			}
		}
		expect(follower(leader, "n2").state).toBe("replicate");
		expect(refusals).toBeLessThanOrEqual(4);
	});
});
