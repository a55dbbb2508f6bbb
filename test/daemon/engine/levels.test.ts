import { afterEach, describe, expect, it } from "vitest";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import type { CommandOutcome } from "../../../src/daemon/replica.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { type HeldLog, openHeldLog } from "../../fakes/held-log.js";
import {
	LoopbackCluster,
	type LoopbackNode,
	put,
	until,
} from "../../fakes/loopback-cluster.js";
import { addressOf, change, fill, level, takeSnapshot } from "./changing.js";

/** The same machine in two releases: the later one reads and writes another format, too. */
const earlier = {
	...(kv as Machine),
	levels: { reads: [1, 1], writes: 1 },
} as const;
const later = {
	...(kv as Machine),
	levels: { reads: [1, 2], writes: 2 },
} as const;

let cluster: LoopbackCluster;
afterEach(() => cluster.close());

const replicaOf = (node: LoopbackNode) => node.replica as NodeReplica;

function raise(replica: NodeReplica, to: number): Promise<string | null> {
	return new Promise((resolve) => replica.setWriteLevel(to, resolve));
}

function proposeAt(replica: NodeReplica, at: number): Promise<CommandOutcome> {
	const json = { op: "put", key: "k", value: "v" };
	const command = kv.json?.command(json, 1) as Uint8Array;
	const options = { ack: "apply", deadlineMs: 10_000, client: "c" } as const;
	return new Promise((resolve) =>
		replica.propose(command, { ...options, level: at }, resolve),
	);
}

/** n1 and n2 have the later release, n3 the earlier one; n3 does not lead. */
async function mixed(limits: Record<string, number> = {}) {
	cluster = await LoopbackCluster.start(["n1", "n2", "n3"], {
		...{ machine: later, limits, down: ["n3"] },
	});
	await cluster.leading();
	const third = cluster.node("n3");
	await cluster.startNode(third, { machine: earlier });
	const { replica } = await cluster.leader();
	return { third, replica };
}

async function upgraded(limits: Record<string, number> = {}) {
	const { third } = await mixed(limits);
	await cluster.stopNode(third);
	await cluster.startNode(third);
	const { replica } = await cluster.leader();
	expect(await raise(replica, 2)).toBeNull();
	expect((await proposeAt(replica, 2)).kind).toBe("applied");
	return { third, replica };
}

describe("the write level (P61)", () => {
	it("is raised only when every member reads it, and the one that does not is named", async () => {
		const { third, replica } = await mixed();
		expect(await raise(replica, 2)).toBe("n3 reads levels 1 to 1");
		await cluster.stopNode(third);
		expect(await raise(replica, 2)).toMatch(/n3 (reads|is not connected)/);
		await until(
			"the break",
			() => !replica.status().connectedPeers.includes("n3"),
		);
		expect(await raise(replica, 2)).toBe("n3 is not connected");
		await cluster.startNode(third);
		const again = await cluster.leader();
		expect(await raise(again.replica, 3)).toBe(
			`${again.id} writes level 2 at most`,
		);
		expect(await raise(again.replica, 2)).toBeNull();
		expect(await raise(again.replica, 2)).toBeNull();
		expect(await raise(again.replica, 1)).toBe(
			"the write level never goes down",
		);
		for (const node of cluster.nodes) {
			await level(replicaOf(node), again.replica);
			expect(replicaOf(node).controlState().writeLevel).toEqual({
				...{ level: 2, release: "test" },
			});
		}
	});

	it("is that of what is written by default, and nothing above it gets into the log", async () => {
		const { replica } = await mixed();
		expect(await proposeAt(replica, 2)).toMatchObject({
			...{ kind: "rejected", reason: "level" },
			message: "level 2 is above the cluster's write level 1",
		});
		expect((await proposeAt(replica, 1)).kind).toBe("applied");
		// The earlier release applies all of it, so nothing above its level was written.
		await put(replica, "last", "1");
		await level(replicaOf(cluster.node("n3")), replica);
		expect(replicaOf(cluster.node("n3")).status().failure).toBeNull();
	});
});

describe("a command of the cluster's own that the leader does not know (P61)", () => {
	const commanded = (replica: NodeReplica, command: object) =>
		new Promise<CommandOutcome>((resolve) =>
			replica.control(
				Buffer.from(JSON.stringify({ nowMs: 1, ...command })),
				10_000,
				resolve,
			),
		);

	it("is not written, whichever node takes it; nobody's log holds it", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const { replica } = await cluster.leader();
		for (const node of cluster.nodes)
			for (const command of [
				{ type: "of-a-later-release" },
				{ type: "open-session", ttlMs: -1 },
			])
				expect(await commanded(replicaOf(node), command)).toMatchObject({
					...{ kind: "rejected", reason: "level" },
					message: "it is malformed, or the leader's release does not know it",
				});
		expect((await commanded(replica, { type: "tick" })).kind).toBe("applied");
		await put(replica, "last", "1");
		for (const node of cluster.nodes) {
			await level(replicaOf(node), replica);
			expect(replicaOf(node).status().failure).toBeNull();
		}
	});
});

describe("an earlier release in a cluster whose level was raised", () => {
	it("is refused at its start, with the release that is needed, from its log", async () => {
		const { third, replica } = await upgraded();
		await level(replicaOf(third), replica);
		await cluster.stopNode(third);
		const start = cluster.startNode(third, { machine: earlier });
		await expect(start).rejects.toMatchObject({
			kind: "refused",
			message: expect.stringMatching(
				/the cluster's write level is 2; .* reads levels 1 to 1; release test, or a later one, is needed/,
			),
		});
		await cluster.startNode(third);
		await cluster.leader();
	});

	it("is refused at its start from its snapshot, too, rather than told of a damaged disk", async () => {
		const limits = { segmentBytes: 64 * 1024 };
		const { third, replica } = await upgraded(limits);
		await fill(replica, "k", 200, "v".repeat(1000));
		await level(replicaOf(third), replica);
		await takeSnapshot(replicaOf(third));
		await until(
			"a compacted log",
			() => replicaOf(third).status().raft.firstIndex > 1,
		);
		await cluster.stopNode(third);
		const start = cluster.startNode(third, { machine: earlier });
		await expect(start).rejects.toMatchObject({
			kind: "refused",
			message: expect.stringContaining("release test, or a later one"),
		});
		await cluster.startNode(third);
		await cluster.leader();
	});

	it("that does not know of it at its start is not let in, and misreads nothing", async () => {
		const { third } = await mixed();
		await cluster.stopNode(third);
		const holds: HeldLog[] = [];
		await cluster.startNode(third, {
			openLog: openHeldLog((log) => holds.push(log)),
		});
		const { id, replica } = await cluster.leader();
		if (id === "n3")
			await new Promise((resolve) => replica.transferLeadership(null, resolve));
		const leader = (await cluster.leader()).replica;
		// Its disk keeps nothing from here on: it is connected, and reads the level, but will not remember.
		holds[0]?.hold();
		expect(await raise(leader, 2)).toBeNull();
		holds[0]?.forget();
		await cluster.stopNode(third);
		const written = await proposeAt(leader, 2);
		expect(written.kind).toBe("applied");
		const { index } = written as { index: number };

		const early = await cluster.startNode(third, { machine: earlier });
		await until("the refusal", () =>
			third.diagnoses.some(({ message }) =>
				message.includes("n3 reads up to 1: it needs release test"),
			),
		);
		await put(leader, "more", "1");
		await new Promise((resolve) => setTimeout(resolve, 500));
		expect(early.status().connectedPeers).toEqual([]);
		expect(early.status().applied).toBeLessThan(index);
		await cluster.stopNode(third);
		const right = await cluster.startNode(third);
		await level(right, (await cluster.leader()).replica);
		expect(right.status().failure).toBeNull();
	});

	it("is refused as a new member, with the release that is needed", async () => {
		const { replica } = await upgraded();
		const fourth = await cluster.join("n4", { machine: earlier });
		await change(cluster, {
			...{ type: "add", id: "n4", address: addressOf(fourth) },
		});
		await until("the refusal", () =>
			fourth.diagnoses.some(({ message }) =>
				message.includes(
					"this cluster writes level 2 of the entry format, n4 reads up to 1: it needs release test or a later one",
				),
			),
		);
		expect(replica.status().connectedPeers).not.toContain("n4");
		await cluster.stopNode(fourth);
		await cluster.startNode(fourth);
		await level(replicaOf(fourth), replica);
		expect(replicaOf(fourth).status().failure).toBeNull();
	});
});
