import { describe, expect, it } from "vitest";
import type { AppendRequest } from "../../src/raft/types.js";
import {
	heartbeatIntervalMs,
	kind,
	TinyCluster,
	type TinyNode,
} from "./cluster.js";

function follower(leader: TinyNode, id: string) {
	const status = leader.raft.status().followers.find((one) => one.id === id);
	if (status === undefined)
		throw new Error(`${leader.id} has no follower ${id}`);
	return status;
}

describe("replication", () => {
	it("is pipelined: entries go out before earlier ones are acknowledged", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1);
		leader.propose(2);
		leader.propose(3);
		expect(follower(leader, "n2")).toMatchObject({
			state: "replicate",
			match: 2,
			next: 6,
			inflightMessages: 3,
		});
		cluster.settle();
		expect(follower(leader, "n2")).toMatchObject({
			match: 5,
			next: 6,
			inflightMessages: 0,
			inflightBytes: 0,
		});
	});

	it("stops at the window's limit of messages, and of bytes", () => {
		const byCount = new TinyCluster(3, { options: { maxInflightMessages: 2 } });
		const leader = byCount.elect(1);
		for (let token = 1; token <= 5; token++) leader.propose(token);
		expect(follower(leader, "n2")).toMatchObject({
			inflightMessages: 2,
			next: 5,
		});
		byCount.settle();
		expect(follower(leader, "n2")).toMatchObject({
			inflightMessages: 0,
			match: 7,
		});

		const byBytes = new TinyCluster(3, { options: { maxInflightBytes: 200 } });
		const other = byBytes.elect(1);
		for (let token = 1; token <= 5; token++) other.propose(token, 82);
		expect(follower(other, "n2")).toMatchObject({
			inflightMessages: 2,
			inflightBytes: 200,
		});
		byBytes.settle();
		expect(follower(other, "n2")).toMatchObject({ inflightBytes: 0, match: 7 });
	});

	it("cuts what is to be sent into messages of the permitted size", () => {
		const cluster = new TinyCluster(2, { options: { maxMessageBytes: 100 } });
		cluster.elect(1).propose(1, 22, 22, 22, 22, 500, 22);
		const sizes = cluster.wire
			.filter(kind("append-request"))
			.map((message) => (message as AppendRequest).entries.length);
		expect(sizes).toEqual([2, 2, 1, 1]);
	});

	it("goes on when a full window's acknowledgements were lost (P50)", () => {
		const cluster = new TinyCluster(2, { options: { maxInflightMessages: 2 } });
		const leader = cluster.elect(1);
		for (let token = 1; token <= 4; token++) leader.propose(token);
		cluster.settle(kind("append-response"));
		expect(leader.commit).toBe(2);
		expect(follower(leader, "n2").inflightMessages).toBe(2);
		cluster.pass(5 * heartbeatIntervalMs);
		expect(leader.commit).toBe(6);
		expect(cluster.node(2).terms).toEqual(leader.terms);
	});

	it("goes on when a full window's entries were lost (P50)", () => {
		const cluster = new TinyCluster(2, { options: { maxInflightMessages: 2 } });
		const leader = cluster.elect(1);
		for (let token = 1; token <= 4; token++) leader.propose(token);
		cluster.drop(kind("append-request"));
		cluster.pass(5 * heartbeatIntervalMs);
		expect(leader.commit).toBe(6);
		expect(cluster.node(2).terms).toEqual(leader.terms);
	});

	it("probes again after a broken link was reported, and not before a heartbeat is answered (P50)", () => {
		const cluster = new TinyCluster(2);
		const leader = cluster.elect(1);
		leader.propose(1);
		cluster.drop();
		leader.raft.unreachable("n2");
		leader.propose(2);
		expect(follower(leader, "n2")).toMatchObject({
			state: "probe",
			match: 2,
			next: 3,
			inflightMessages: 0,
		});
		expect(cluster.wire).toEqual([]);
		cluster.pass(2 * heartbeatIntervalMs);
		expect(follower(leader, "n2")).toMatchObject({
			state: "replicate",
			match: 4,
		});
	});

	it("takes no notice of answers to another session (P52)", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1, 1, 1, 1);
		cluster.drop();
		const before = follower(leader, "n2");
		const stale = {
			type: "append-response",
			from: "n2",
			to: "n1",
			term: 2,
			session: 99,
			rejected: 0,
			hintIndex: 0,
			hintTerm: 0,
		} as const;
		leader.step({ ...stale, success: true, match: 6 });
		leader.step({
			...stale,
			success: false,
			match: 0,
			rejected: 5,
			hintIndex: 1,
			hintTerm: 1,
		});
		expect(follower(leader, "n2")).toMatchObject({
			match: before.match,
			next: before.next,
			state: before.state,
		});
		expect(leader.commit).toBe(2);
	});

	it("never takes match back: acknowledgements may overtake each other", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(1);
		leader.propose(1);
		leader.propose(2);
		cluster.deliver(kind("append-request", "n1", "n2"));
		const [first, second] = cluster.drop(kind("append-response", "n2"));
		for (const message of [second, first, first]) {
			if (message !== undefined) leader.step(message);
			expect(follower(leader, "n2")).toMatchObject({
				match: 4,
				next: 5,
				inflightMessages: 0,
				inflightBytes: 0,
			});
		}
	});

	it("never takes next back to match or below, whatever a late refusal says (P50)", () => {
		const cluster = new TinyCluster(2);
		const leader = cluster.elect(1);
		leader.propose(1, 1, 1);
		const { session } = cluster.wire[0] as AppendRequest;
		cluster.settle();
		leader.step({
			type: "append-response",
			from: "n2",
			to: "n1",
			term: 2,
			session,
			success: false,
			match: 0,
			rejected: 2,
			hintIndex: 1,
			hintTerm: 1,
		});
		const { match, next } = follower(leader, "n2");
		expect(match).toBe(4);
		expect(next).toBe(5);
	});
});
