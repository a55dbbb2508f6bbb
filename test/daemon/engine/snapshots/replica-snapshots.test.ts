import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { NodeReplica } from "../../../../src/daemon/engine/node-replica.js";
import { kv } from "../../../../src/machines/kv/machine.js";
import {
	defineMachine,
	type Machine,
} from "../../../../src/machines/machine.js";
import { realDisk } from "../../../../src/storage/real-disk.js";
import { openSnapshotsInThread } from "../../../../src/storage/snapshots/open.js";
import { FakeDisk } from "../../../fakes/fake-disk.js";
import { type HeldLog, openHeldLog } from "../../../fakes/held-log.js";
import {
	get,
	LoopbackCluster,
	type LoopbackNode,
	put,
	until,
	valueIn,
} from "../../../fakes/loopback-cluster.js";
import { fill, level, takeSnapshot } from "../changing.js";

let cluster: LoopbackCluster;
afterEach(() => cluster.close());

const three = ["n1", "n2", "n3"] as const;
const value = "v".repeat(1000);
const segmentBytes = 64 * 1024;
/** One each hundred entries. */
const often = { segmentBytes, snapshotEntries: 100 };
/** Only by wish. */
const never = { segmentBytes };

function snapshotsOf(node: LoopbackNode): string[] {
	const directory = join(node.directory, "snapshots");
	return readdirSync(directory)
		.filter((name) => name.endsWith(".snapshot"))
		.sort()
		.map((name) => join(directory, name));
}

/** Spoils a byte in the middle of the content. */
function damage(path: string): void {
	const bytes = readFileSync(path);
	const at = Math.floor(bytes.length / 2);
	bytes[at] = (bytes[at] as number) ^ 255;
	writeFileSync(path, bytes);
}

/** The hash of the whole state that the newest snapshot of a node holds, and its index. */
async function stateIn(node: LoopbackNode): Promise<string> {
	const { store } = await openSnapshotsInThread({
		...{ disk: realDisk, directory: join(node.directory, "snapshots") },
		...{ clusterId: cluster.clusterId, nodeId: node.id },
	});
	const newest = store.list()[0];
	await store.close();
	return `${newest?.index} ${newest?.sha256}`;
}

const replicaOf = (node: LoopbackNode) => node.replica as NodeReplica;

/** Every event from index 1 on, as one subscriber is told them. */
function listen(replica: NodeReplica, from = 1) {
	const told: number[] = [];
	const gaps: number[] = [];
	const subscription = replica.subscribe(from, {
		onEvent: (index) => void told.push(index),
		onProgress() {},
		onGap: (oldest) => void gaps.push(oldest),
	});
	return { told, gaps, isSubscribed: subscription !== null };
}

describe("snapshots of a running cluster", () => {
	it("are taken by size under load; the log is compacted; all nodes, restarted ones too, have one state", async () => {
		const limits = { segmentBytes, snapshotLogBytes: 150_000 };
		cluster = await LoopbackCluster.start(three, { limits });
		const { replica } = await cluster.leader();
		const before = listen(replica);
		let written = 0;
		const writers = Array.from({ length: 8 }, async (_, writer) => {
			for (let at = 0; at < 100; at++) {
				const key = `k${(writer * 37 + at) % 300}`;
				const outcome = await put(replica, key, `${at}${value}`);
				expect(outcome.kind).toBe("applied");
				written++;
			}
		});
		await Promise.all(writers);
		await until("two snapshots everywhere", () =>
			cluster.nodes.every((node) => replicaOf(node).stats().snapshotsTaken > 1),
		);
		for (const node of cluster.nodes) {
			await until(
				"a short log",
				() => replicaOf(node).status().raft.firstIndex > 100,
			);
			expect(snapshotsOf(node).length).toBeLessThanOrEqual(3);
		}
		await until("every event", () => before.told.length === written);

		const [restarted] = cluster.nodes as [LoopbackNode];
		await cluster.stopNode(restarted);
		await cluster.startNode(restarted);
		const { replica: leader } = await cluster.leader();
		const after = listen(replicaOf(restarted));
		expect(after.isSubscribed).toBe(true);
		await until("every event again", () => after.told.length === written);
		expect(after.told).toEqual(before.told);

		await fill(leader, "last", 1);
		const states: string[] = [];
		for (const node of cluster.nodes) {
			await level(replicaOf(node), leader);
			expect((await takeSnapshot(replicaOf(node))).kind).toBe("taken");
			states.push(await stateIn(node));
		}
		expect(new Set(states).size).toBe(1);
	});

	it("by wish is the one that is there when nothing came since, and one for all who wish at once", async () => {
		cluster = await LoopbackCluster.start(["n1"], { limits: never });
		const { replica } = await cluster.leader();
		await fill(replica, "k", 5);
		const all = await Promise.all([1, 2, 3].map(() => takeSnapshot(replica)));
		const { applied } = replica.status();
		expect(new Set(all.map((each) => JSON.stringify(each)))).toEqual(
			new Set([JSON.stringify({ kind: "taken", index: applied })]),
		);
		expect(await takeSnapshot(replica)).toEqual(all[0]);
		expect(replica.stats().snapshotsTaken).toBe(1);
	});

	it("go on after a full disk: the node serves meanwhile, and says so once for each attempt", async () => {
		const disk = new FakeDisk(1);
		disk.capacityBytes = 1000;
		cluster = await LoopbackCluster.start(["n1"], {
			...{ down: ["n1"], limits: often },
		});
		const [node] = cluster.nodes as [LoopbackNode];
		const replica = await cluster.startNode(node, {
			openStore: (options) => openSnapshotsInThread({ ...options, disk }),
		});
		await cluster.leader();
		await fill(replica, "k", 200, value);
		await until("a failure", () => replica.stats().snapshotsFailed > 0);
		expect(node.diagnoses).toContainEqual({
			...{ level: "error", message: "no snapshot could be taken" },
			fields: { reason: expect.stringContaining("the disk is full") },
		});
		expect(await takeSnapshot(replica)).toMatchObject({ kind: "failed" });
		expect((await put(replica, "after", "1")).kind).toBe("applied");
		expect(replica.status()).toMatchObject({ failure: null });
		expect(replica.status().raft.firstIndex).toBe(1);
		disk.capacityBytes = Number.POSITIVE_INFINITY;
		expect(await takeSnapshot(replica)).toMatchObject({ kind: "taken" });
		expect(node.fatal).toEqual([]);
	});

	it("are not tried again and again by a node that applies nothing any more", async () => {
		const machine: Machine = defineMachine({
			...(kv as Machine),
			apply(state, command, context) {
				if (context.index > 150) throw new Error("the machine's mistake");
				return kv.apply(state as never, command, context);
			},
		});
		cluster = await LoopbackCluster.start(["n1"], { machine, limits: often });
		const { replica } = await cluster.leader();
		await fill(replica, "k", 300).catch(() => {});
		await until("the failure", () => replica.status().failure !== null);
		await new Promise((resolve) => setTimeout(resolve, 300));
		expect(replica.stats().snapshotsFailed).toBe(0);
		const wished = await takeSnapshot(replica);
		expect(wished).toMatchObject({
			kind: "failed",
			message: expect.stringContaining("the machine's mistake"),
		});
	});
});

describe("a follower that was away", () => {
	async function awayWhile(
		work: (leader: NodeReplica) => Promise<void>,
		own: Parameters<LoopbackCluster["startNode"]>[1] = {},
	) {
		const { id } = await cluster.leader();
		const away = cluster.nodes.find((node) => node.id !== id) as LoopbackNode;
		await cluster.stopNode(away);
		const leader = replicaOf(cluster.node(id));
		await work(leader);
		await until("a compacted log", () => leader.status().raft.firstIndex > 50);
		return { away, leader, back: () => cluster.startNode(away, own) };
	}

	it("installs the leader's snapshot, and has the same state and events then", async () => {
		cluster = await LoopbackCluster.start(three, { limits: often });
		await fill((await cluster.leader()).replica, "a", 20, value);
		const { away, leader, back } = await awayWhile((replica) =>
			fill(replica, "k", 400, value),
		);
		const replica = await back();
		await level(replica, leader);
		expect(replica.stats()).toMatchObject({ snapshotsInstalled: 1 });
		const events = listen(replica);
		const complete = listen(leader);
		expect(events.isSubscribed).toBe(complete.isSubscribed);
		await until("all events", () => events.told.length === 420);
		expect(events.told).toEqual(complete.told);

		await fill(leader, "last", 1);
		await level(replica, leader);
		await takeSnapshot(replica);
		await takeSnapshot(leader);
		const { id } = await cluster.leader();
		expect(await stateIn(away)).toBe(await stateIn(cluster.node(id)));
	});

	it("is not ready, and its stale answers are old, until it has installed the snapshot", async () => {
		const limits = { ...often, maxSnapshotBytesPerSecond: 400_000 };
		cluster = await LoopbackCluster.start(three, { limits });
		const { leader, back } = await awayWhile((replica) =>
			fill(replica, "k", 700, value),
		);
		const sinceMs = performance.now();
		const replica = await back();
		const lies: unknown[] = [];
		while (replica.status().applied < 700) {
			const answer = await get(replica, "k699", { consistency: "stale" });
			if (answer.kind !== "answer" || valueIn(answer) === value) break;
			const age = answer.ageMs;
			// It was started so long ago, and has never been level since.
			if (age < performance.now() - sinceMs - 5) lies.push(age);
		}
		expect(lies).toEqual([]);
		await level(replica, leader);
		expect(replica.stats().snapshotsInstalled).toBe(1);
		await until("a young answer", async () => {
			const answer = await get(replica, "k699", { consistency: "stale" });
			return answer.kind === "answer" && answer.ageMs < 1000;
		});
	});

	it("takes over nothing of another machine, and keeps what it has", async () => {
		const limits = { ...often };
		cluster = await LoopbackCluster.start(three, { limits });
		await fill((await cluster.leader()).replica, "a", 20);
		const { away, back } = await awayWhile(
			(replica) => fill(replica, "k", 400, value),
			{ machine: { ...(kv as Machine), name: "another" } },
		);
		const replica = await back();
		await until("the complaint", () =>
			away.diagnoses.some(({ message }) => message.includes("of no use here")),
		);
		expect(away.diagnoses.at(-1)?.message).toContain(
			"it is of machine kv, this node runs another",
		);
		expect(away.fatal).toEqual([]);
		expect(replica.stats().snapshotsInstalled).toBe(0);
		await cluster.stopNode(away);
		// The right machine after all.
		await expect(
			cluster.startNode(away, {
				machine: { ...(kv as Machine), name: "another" },
			}),
		).rejects.toThrow("is of machine kv, this node runs another");
		const right = await cluster.startNode(away);
		await level(right, (await cluster.leading()).replica);
		expect(valueIn(await get(right, "k399"))).toBe(value);
	});

	it("is sent the log as long as it is heard, however slow it is, up to maxLogBytes (P47)", async () => {
		const limits = {
			...{ ...often, maxLogBytes: 2_000_000 },
			...{ maxInflightBytes: 100_000, windowBytes: 100_000 },
		};
		cluster = await LoopbackCluster.start(three, { limits, down: ["n3"] });
		const holds: HeldLog[] = [];
		const slow = await cluster.startNode(cluster.node("n3"), {
			openLog: openHeldLog((log) => holds.push(log)),
		});
		let { id, replica } = await cluster.leader();
		if (id === "n3") {
			await new Promise((resolve) => replica.transferLeadership(null, resolve));
			({ id, replica } = await cluster.leader());
		}
		expect(id).not.toBe("n3");
		await fill(replica, "a", 10, value);
		await level(slow, replica);
		const { match } = replica
			.status()
			.raft.followers.find((each) => each.id === "n3") as { match: number };
		holds[0]?.hold();
		for (let taken = 1; taken <= 3; taken++) {
			await fill(replica, `k${taken}-`, 130, value);
			await until("a snapshot", () => replica.stats().snapshotsTaken >= taken);
		}
		await new Promise((resolve) => setTimeout(resolve, 1500));
		expect(replica.status().raft.firstIndex).toBeLessThanOrEqual(match + 1);
		await fill(replica, "m", 2500, value);
		await until(
			"the limit to win",
			() => replica.status().raft.firstIndex > match + 1,
		);
		holds[0]?.goOn();
		await level(slow, replica);
		expect(slow.stats().snapshotsInstalled).toBeGreaterThan(0);
		expect(valueIn(await get(slow, "m2499"))).toBe(value);
	});
});

describe("a damaged snapshot", () => {
	async function stopped(
		limits: Record<string, number>,
		count: number,
	): Promise<LoopbackNode> {
		cluster = await LoopbackCluster.start(["n1"], { limits });
		const { replica } = await cluster.leader();
		const [node] = cluster.nodes as [LoopbackNode];
		for (let taken = 0; taken < count; taken++) {
			await fill(replica, `k${taken}-`, 120, value);
			await takeSnapshot(replica);
		}
		await fill(replica, "last", 3);
		if (count > 0)
			await until(
				"a compacted log",
				() => replica.status().raft.firstIndex > 1,
			);
		await cluster.stopNode(node);
		return node;
	}

	it("that is the newest is passed over for the one before it, and nothing is lost", async () => {
		const node = await stopped(never, 2);
		const [older, newest] = snapshotsOf(node) as [string, string];
		expect(older).not.toBe(newest);
		damage(newest);
		const replica = await cluster.startNode(node);
		await cluster.leader();
		expect(node.diagnoses).toContainEqual(
			expect.objectContaining({ message: "a snapshot cannot be used" }),
		);
		for (const key of ["k0-0", "k1-119"])
			expect(valueIn(await get(replica, key))).toBe(value);
		expect(valueIn(await get(replica, "last2"))).toBe("v");
		// The next one takes its place, and the damaged file goes in the end.
		for (const prefix of ["x", "y"]) {
			await fill(replica, prefix, 5);
			expect(await takeSnapshot(replica)).toMatchObject({ kind: "taken" });
		}
		await until(
			"the damaged one to go",
			() => !snapshotsOf(node).includes(newest),
		);
	});

	it("that is the only one, beside a log that begins behind it, ends the start with what to do", async () => {
		const node = await stopped(never, 1);
		const paths = snapshotsOf(node);
		expect(paths).toHaveLength(1);
		damage(paths[0] as string);
		const start = cluster.startNode(node);
		await expect(start).rejects.toThrow(
			/the log begins at index \d+, and there is no snapshot that can be used/,
		);
		const error = await start.catch((reason: unknown) => reason);
		expect((error as { next: string }).next).toContain(
			"add it as a new member",
		);
		expect(snapshotsOf(node)).toEqual(paths);
	});
});
