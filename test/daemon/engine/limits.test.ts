import { afterEach, describe, expect, it } from "vitest";
import { limitsFrom } from "../../../src/daemon/engine/limits.js";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import type { CommandOutcome } from "../../../src/daemon/replica.js";
import { kv } from "../../../src/machines/kv/machine.js";
import { defineMachine } from "../../../src/machines/machine.js";
import { openLogInThread } from "../../../src/storage/in-thread.js";
import { FakeDisk } from "../../fakes/fake-disk.js";
import {
	get,
	LoopbackCluster,
	put,
	until,
	valueIn,
} from "../../fakes/loopback-cluster.js";

let cluster: LoopbackCluster | null = null;

afterEach(async () => {
	await cluster?.close();
	cluster = null;
});

function kinds(outcomes: readonly CommandOutcome[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const outcome of outcomes) {
		const kind = outcome.kind === "rejected" ? outcome.reason : outcome.kind;
		counts[kind] = (counts[kind] ?? 0) + 1;
	}
	return counts;
}

describe("a replica's limits", () => {
	it("send what is too much away at once, and keep what was accepted", async () => {
		cluster = await LoopbackCluster.start(["n1"], {
			limits: { maxPendingCommands: 10 },
		});
		const { replica } = await cluster.leader();
		const outcomes = await Promise.all(
			Array.from({ length: 25 }, (_, at) => put(replica, `k${at}`, "v")),
		);
		expect(kinds(outcomes)).toEqual({ applied: 10, overloaded: 15 });
		const refused = outcomes.find(({ kind }) => kind === "rejected");
		const { retryAfterMs } = refused as { retryAfterMs: number };
		expect(retryAfterMs).toBeGreaterThanOrEqual(50);
		expect(retryAfterMs).toBeLessThanOrEqual(150);
		expect((await put(replica, "later", "v")).kind).toBe("applied");
	});

	it("leave room for other connections than the busiest", async () => {
		cluster = await LoopbackCluster.start(["n1"], {
			limits: { maxPendingPerClient: 3 },
		});
		const { replica } = await cluster.leader();
		const command = kv.json?.command({ op: "put", key: "a", value: "1" }, 1);
		const ask = (client: string) =>
			new Promise<CommandOutcome>((resolve) =>
				replica.propose(
					command as Uint8Array,
					{ ack: "apply", deadlineMs: 10_000, client },
					resolve,
				),
			);
		const outcomes = await Promise.all(
			["a", "a", "a", "a", "b"].map((client) => ask(client)),
		);
		expect(outcomes.map(({ kind }) => kind)).toEqual([
			...["applied", "applied", "applied", "rejected", "applied"],
		]);
	});

	it("count bytes, too, but never lock out a single command", async () => {
		cluster = await LoopbackCluster.start(["n1"], {
			limits: { maxPendingBytes: 1000, maxCommandBytes: 5000 },
		});
		const { replica } = await cluster.leader();
		const long = "x".repeat(3000);
		const outcomes = await Promise.all([
			put(replica, "a", long),
			put(replica, "b", long),
			put(replica, "c", "x".repeat(6000)),
		]);
		expect(kinds(outcomes)).toEqual({
			applied: 1,
			overloaded: 1,
			"too-large": 1,
		});
	});

	it("refuse what the machine can never execute before the log sees it", async () => {
		cluster = await LoopbackCluster.start(["n1"]);
		const { replica } = await cluster.leader();
		const { lastIndex } = replica.status().raft;
		const outcome = await new Promise((resolve) =>
			replica.propose(
				Buffer.from([250, 1, 2]),
				{ ack: "apply", deadlineMs: 10_000, client: "test" },
				resolve,
			),
		);
		expect(outcome).toMatchObject({ kind: "rejected", reason: "invalid" });
		expect(replica.status().raft.lastIndex).toBe(lastIndex);
	});

	it("refuse commands while the machine is slower than the log, and lose none that was accepted (P57)", async () => {
		const maxApplyLagBytes = 10_000;
		const value = "v".repeat(300);
		const slow = defineMachine({
			...kv,
			apply(state, command, context) {
				const untilMs = performance.now() + 1;
				while (performance.now() < untilMs);
				return kv.apply(state, command, context);
			},
		});
		cluster = await LoopbackCluster.start(["n1"], {
			...{ machine: slow, limits: { maxApplyLagBytes } },
		});
		const { replica } = await cluster.leader();
		const waveLength = 100;
		const committed = new Map<string, number>();
		const refused: string[] = [];
		let mostBehind = 0;
		for (let wave = 0; wave < 10; wave++) {
			const keys = Array.from({ length: waveLength }, (_, at) => {
				return `k${wave * waveLength + at}`;
			});
			const outcomes = await Promise.all(
				keys.map((key) => put(replica, key, value, { ack: "commit" })),
			);
			const { raft, applied } = replica.status();
			mostBehind = Math.max(mostBehind, raft.commit - applied);
			for (const [at, outcome] of outcomes.entries()) {
				const key = keys[at] as string;
				if (outcome.kind === "committed") committed.set(key, outcome.index);
				else {
					expect(outcome).toMatchObject({ reason: "overloaded" });
					expect(outcome).toMatchObject({
						message: expect.stringContaining("has not executed yet"),
					});
					refused.push(key);
				}
			}
		}
		expect(committed.size).toBeGreaterThan(0);
		expect(refused.length).toBeGreaterThan(0);
		// Each takes more than its value: what may wait, and the wave that was on its way when the limit was passed.
		const most = maxApplyLagBytes / value.length + waveLength;
		expect(mostBehind).toBeLessThanOrEqual(most);
		for (const [key, minIndex] of committed)
			expect(valueIn(await get(replica, key, { minIndex }))).toBe(value);
		for (const key of refused)
			expect(valueIn(await get(replica, key))).toBeUndefined();
		// It has caught up: there is room again.
		expect((await put(replica, "later", "v")).kind).toBe("applied");
	});

	it("bound reads", async () => {
		cluster = await LoopbackCluster.start(["n1"], {
			limits: { maxPendingReads: 2 },
		});
		const { replica } = await cluster.leader();
		const outcomes = await Promise.all([1, 2, 3].map(() => get(replica, "a")));
		expect(outcomes.map(({ kind }) => kind)).toEqual([
			...["answer", "answer", "failed"],
		]);
		expect(outcomes[2]).toMatchObject({ reason: "overloaded" });
	});

	it("must be known, and make sense", () => {
		expect(limitsFrom({ maxEvents: 5 }).maxEvents).toBe(5);
		expect(() => limitsFrom({ maxEvent: 5, maxPendingBytes: 0 })).toThrow(
			expect.objectContaining({
				kind: "config",
				problems: [
					expect.stringContaining("limits.maxEvent is unknown"),
					expect.stringContaining("limits.maxPendingBytes is 0"),
				],
			}),
		);
		expect(() => limitsFrom({ maxCommandBytes: 2 ** 30 })).toThrow();
	});
});

describe("a replica", () => {
	it("accepts a command with ack none before it is committed", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2"], { down: ["n2"] });
		const [replica] = cluster.running as [NodeReplica];
		expect((await put(replica, "a", "1", { ack: "none" })).kind).toBe(
			"accepted",
		);
		expect(replica.status().raft.commit).toBe(1);
	});

	it("says that it cannot know, when a command is in the log and no quorum confirms it", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2"], {
			timing: { electionTimeoutMs: 1500 },
		});
		const { id, replica } = await cluster.leader();
		for (const node of cluster.nodes)
			if (node.id !== id) await cluster.stopNode(node);
		const outcome = await put(replica, "a", "1", { deadlineMs: 100 });
		expect(outcome.kind).toBe("unknown");
		expect(replica.stats().unknown).toBe(1);
	});

	it("waits for an index before it answers a stale read", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const { replica } = await cluster.leader();
		const written = await put(replica, "a", "1");
		if (written.kind !== "applied") throw new Error(written.kind);
		for (const follower of await cluster.followers()) {
			const { index: minIndex } = written;
			const options = { consistency: "stale", minIndex } as const;
			expect(valueIn(await get(follower, "a", options))).toBe("1");
		}
		const late = { consistency: "stale", minIndex: 1e6, deadlineMs: 30 };
		expect(await get(replica, "a", { ...late, consistency: "stale" })).toEqual({
			kind: "failed",
			reason: "timeout",
			message: "index 1000000 was not applied here in time",
		});
	});

	it("confirms the commit index on every node", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const { replica } = await cluster.leader();
		await put(replica, "a", "1");
		for (const each of cluster.running) {
			const index = await new Promise<number | null>((resolve) =>
				each.readIndex(10_000, resolve),
			);
			expect(index).toBe(replica.status().raft.commit);
			await until(
				"the leader's commit",
				() => each.leaderCommit()?.index === index,
			);
		}
	});

	it("applies control commands to the cluster's own state, through any node", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const [follower] = (await cluster.followers()) as [NodeReplica];
		const command = Buffer.from(
			JSON.stringify({
				...{ type: "acquire-lock", holder: "me", host: "here" },
				...{ operation: "test", ttlMs: 60_000, nowMs: 1000 },
			}),
		);
		const outcome = await new Promise<CommandOutcome>((resolve) =>
			follower.control(command, 10_000, resolve),
		);
		if (outcome.kind !== "applied") throw new Error(JSON.stringify(outcome));
		expect(JSON.parse(Buffer.from(outcome.result).toString())).toMatchObject({
			ok: true,
			lock: { holder: "me" },
		});
		for (const replica of cluster.running)
			await until(
				"the lock",
				() => replica.controlState().lock?.holder === "me",
			);
	});

	it("stops applying for good when the machine fails, says so, and starts again only to say so", async () => {
		const fragile = defineMachine({
			...kv,
			apply(state, command, context) {
				if (context.index >= 5) throw new Error("no fives");
				return kv.apply(state, command, context);
			},
		});
		cluster = await LoopbackCluster.start(["n1"], { machine: fragile });
		const [node] = cluster.nodes as [(typeof cluster.nodes)[number]];
		const { replica } = await cluster.leader();
		while ((await put(replica, "a", "1")).kind === "applied");
		const failure = "machine kv failed on entry 5: no fives";
		expect(replica.status()).toMatchObject({ failure, applied: 4 });
		expect(await put(replica, "a", "2")).toMatchObject({
			kind: "rejected",
			message: failure,
		});
		expect(await get(replica, "a")).toMatchObject({ message: failure });
		expect(node.fatal).toEqual([]);
		await cluster.stopNode(node);
		const again = await cluster.startNode(node);
		expect(again.status()).toMatchObject({ failure, applied: 4 });
	});

	it("acknowledges nothing after its disk has failed, and asks for the end of the process", async () => {
		cluster = await LoopbackCluster.start(["n1"], { down: ["n1"] });
		const [node] = cluster.nodes as [(typeof cluster.nodes)[number]];
		const disk = new FakeDisk(1);
		const replica = await cluster.startNode(node, {
			openLog: (options, events) =>
				openLogInThread({ ...options, disk }, events),
		});
		await cluster.leader();
		expect((await put(replica, "a", "1")).kind).toBe("applied");
		disk.failSyncs(1);
		const outcomes = await Promise.all([
			put(replica, "a", "2"),
			put(replica, "a", "3"),
		]);
		expect(kinds(outcomes)).toEqual({ unknown: 2 });
		expect(node.fatal).toHaveLength(1);
		expect(replica.status().failure).not.toBeNull();
		expect((await put(replica, "a", "4")).kind).toBe("rejected");
		expect((await get(replica, "a")).kind).toBe("failed");
	});
});
