import { describe, expect, it } from "vitest";
import type { AppendRequest, Entry } from "../../src/raft/types.js";
import {
	around,
	electionTimeoutMs,
	entry,
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
