import { afterEach, describe, expect, it } from "vitest";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import { type HeldLog, openHeldLog } from "../../fakes/held-log.js";
import {
	freePorts,
	get,
	LoopbackCluster,
	type LoopbackNode,
	put,
	until,
	valueIn,
} from "../../fakes/loopback-cluster.js";
import {
	addressOf,
	begin,
	change,
	fill,
	level,
	refusalOf,
	takeSnapshot,
} from "./changing.js";

let cluster: LoopbackCluster;
afterEach(() => cluster.close());

const small = { segmentBytes: 64 * 1024 };
const three = ["n1", "n2", "n3"] as const;

const raftOf = (node: LoopbackNode) =>
	(node.replica as NodeReplica).status().raft;

/** Every founder's directory is named in the configuration (P31). */
function registered(replica: NodeReplica): boolean {
	const { addresses } = replica.status().raft.configuration;
	return Object.values(addresses).every(
		({ incarnation }) => incarnation !== undefined,
	);
}

describe("a new node", () => {
	it("waits, is added, catches up by the log, is promoted, and is demoted and removed again", async () => {
		cluster = await LoopbackCluster.start(three, { limits: small });
		const { replica } = await cluster.leader();
		await fill(replica, "k", 200);
		const fourth = await cluster.join("n4");
		const own = fourth.replica as NodeReplica;
		expect(raftOf(fourth)).toMatchObject({ lastIndex: 0, term: 0 });

		await change(cluster, {
			...{ type: "add", id: "n4", address: addressOf(fourth) },
		});
		await level(own, (await cluster.leading()).replica);
		const stale = await get(own, "k199", { consistency: "stale" });
		expect(valueIn(stale)).toBe("v");
		expect((await put(own, "from n4", "1")).kind).toBe("applied");

		await change(cluster, { type: "promote", id: "n4" });
		await until("the word of it", () =>
			raftOf(fourth).configuration.voters.includes("n4"),
		);
		const handed = await new Promise((resolve) =>
			replica.transferLeadership("n4", resolve),
		);
		expect(handed).toBeNull();
		const { id } = await cluster.leading();
		expect(id).toBe("n4");

		// The leader itself: it tells the others, and another one leads.
		await change(cluster, { type: "demote", id: "n4" });
		expect((await cluster.leading()).id).not.toBe("n4");
		await change(cluster, { type: "remove", id: "n4" });
		await until("the word of it", () => {
			const { configuration } = raftOf(fourth);
			return !Object.keys(configuration.addresses).includes("n4");
		});
		const { term } = (await cluster.leading()).replica.status().raft;
		await fill((await cluster.leading()).replica, "after", 20);
		expect(raftOf(fourth).term).toBeLessThanOrEqual(term);

		// Whoever still asks it need not wait for a leader that never comes.
		await until("the end of it", () => {
			const { commit, configurationIndex } = raftOf(fourth);
			return commit >= configurationIndex;
		});
		const message = "n4 was removed from the cluster; ask another node";
		expect(await put(own, "late", "1")).toMatchObject({
			...{ kind: "rejected", reason: "stopping", message },
		});
		for (const consistency of ["linearizable", "stale"] as const)
			expect(await get(own, "k1", { consistency })).toMatchObject({
				...{ kind: "failed", reason: "stopping", message },
			});
	});

	it("catches up by a snapshot when the log of the others begins later", async () => {
		const limits = { ...small, snapshotEntries: 100 };
		cluster = await LoopbackCluster.start(three, { limits });
		const { replica } = await cluster.leader();
		await fill(replica, "k", 300, "v".repeat(2000));
		await until("a compacted log", () => replica.status().raft.firstIndex > 1);
		const fourth = await cluster.join("n4");
		await change(cluster, {
			...{ type: "add", id: "n4", address: addressOf(fourth) },
		});
		const own = fourth.replica as NodeReplica;
		await level(own, replica);
		expect(own.stats().snapshotsInstalled).toBe(1);
		expect(raftOf(fourth).firstIndex).toBeGreaterThan(1);
		await change(cluster, { type: "promote", id: "n4" });
		for (const at of [0, 150, 299])
			expect(valueIn(await get(own, `k${at}`))).toBe("v".repeat(2000));

		await cluster.stopNode(fourth);
		const again = await cluster.startNode(fourth);
		expect(valueIn(await get(again, "k299"))).toBe("v".repeat(2000));
		expect(raftOf(fourth).configuration.voters).toContain("n4");
	});
});

describe("a leader that is removed", () => {
	it("tells the others, and goes; no write is lost, and it disturbs nobody", async () => {
		cluster = await LoopbackCluster.start(three);
		const { id, replica } = await cluster.leader();
		const writes: Promise<unknown>[] = [];
		const [other] = (await cluster.followers()) as [NodeReplica];
		for (let at = 0; at < 50; at++) writes.push(put(other, `w${at}`, "v"));
		await change(cluster, { type: "remove", id });
		expect(await Promise.all(writes)).toSatisfy(
			(outcomes: { kind: string }[]) =>
				outcomes.every(({ kind }) => kind === "applied"),
		);
		const next = await cluster.leading();
		expect(next.id).not.toBe(id);
		const { configuration, term } = next.replica.status().raft;
		expect(configuration.voters).toHaveLength(2);
		await until("the one that left to know", () => {
			const { raft } = replica.status();
			return !raft.configuration.voters.includes(id);
		});
		// Longer than any election would need to begin.
		await new Promise((resolve) => setTimeout(resolve, 1500));
		expect(next.replica.status().raft).toMatchObject({ term, role: "leader" });
		expect(replica.status().raft.role).toBe("follower");
	});
});

describe("a change that is refused", () => {
	it("says why, and changes nothing", async () => {
		cluster = await LoopbackCluster.start(three, { down: [] });
		const { id, replica } = await cluster.leader();
		await until("names for all", () => registered(replica));
		const [other] = three.filter((each) => each !== id) as [string];
		const follower = cluster.node(other).replica as NodeReplica;
		const { configurationIndex, configuration } = replica.status().raft;
		const stranger = {
			...{ peer: "127.0.0.1:1", client: "h:2", admin: "h:3" },
			incarnation: "never started",
		};
		const add = (name: string) =>
			({ type: "add", id: name, address: stranger }) as const;

		const refused = async (...changes: Parameters<typeof begin>[1]) =>
			await refusalOf(replica, changes);
		expect(await refusalOf(follower, [add("n9")])).toMatchObject({
			reason: "not-leader",
		});
		expect(await refused({ type: "remove", id: "n9" })).toMatchObject({
			...{ reason: "unknown-member", node: "n9" },
		});
		expect(await refused(add(other))).toMatchObject({
			...{ reason: "duplicate-member", node: other },
		});
		expect(await refused({ type: "promote", id: other })).toMatchObject({
			...{ reason: "not-a-learner", node: other },
		});
		expect(
			await refused(
				...three.map((each) => ({ type: "remove", id: each }) as const),
			),
		).toMatchObject({ reason: "no-voters" });
		expect(
			await refused({
				...{ type: "update", id: other },
				address: addressOf(cluster.node(other)),
			}),
		).toMatchObject({ reason: "nothing-to-change" });
		const stale = { expectedIndex: configurationIndex - 1 };
		expect(await refusalOf(replica, [add("n9")], stale)).toMatchObject({
			reason: "configuration-changed",
		});
		expect(replica.status().raft).toMatchObject({
			...{ configurationIndex, configuration },
		});

		// Two at once: the second finds the first under way.
		const [first, second] = await Promise.all([
			begin(replica, [add("n8")]),
			begin(replica, [add("n9")]),
		]);
		expect(first.kind).toBe("done");
		expect(second).toMatchObject({
			refusal: { reason: "change-in-flight" },
		});
		// Added, and never started.
		expect(await refused({ type: "promote", id: "n8" })).toMatchObject({
			...{ reason: "target-unreachable", node: "n8" },
			catchUp: { caughtUp: false },
		});
		await cluster.stopNode(cluster.node(other));
		await until("silence", () => {
			const { followers } = replica.status().raft;
			const silent = followers.find((each) => each.id === other);
			return (silent?.heardAgoMs ?? 0) > 300;
		});
		const remaining = three.find((each) => each !== id && each !== other);
		expect(
			await refused({ type: "remove", id: remaining as string }),
		).toMatchObject({ reason: "quorum-at-risk" });
	});

	it("is so for a learner that lags, with how far it is", async () => {
		cluster = await LoopbackCluster.start(three);
		const { replica } = await cluster.leader();
		const holds: HeldLog[] = [];
		const openLog = openHeldLog((log) => holds.push(log));
		const fourth = await cluster.join("n4", { openLog });
		await change(cluster, {
			...{ type: "add", id: "n4", address: addressOf(fourth) },
		});
		await level(fourth.replica as NodeReplica, replica);
		holds[0]?.hold();
		await fill(replica, "k", 100);
		await until("a round that lasts too long", () => {
			const { followers } = replica.status().raft;
			return followers.some(({ catchUp }) => !catchUp.caughtUp);
		});
		const lagging = await refusalOf(replica, [{ type: "promote", id: "n4" }]);
		expect(lagging).toMatchObject({ reason: "target-lagging", node: "n4" });
		expect(lagging.catchUp?.lagEntries).toBeGreaterThanOrEqual(100);
		holds[0]?.goOn();
		await change(cluster, { type: "promote", id: "n4" });
	});
});

describe("a leader that dies during a change", () => {
	it("leaves the cluster with one configuration, and never in between", async () => {
		cluster = await LoopbackCluster.start([...three, "n4", "n5"]);
		const { id, replica } = await cluster.leader();
		const victims = cluster.nodes.filter((node) => node.id !== id).slice(0, 2);
		const outcome = begin(
			replica,
			victims.map((node) => ({ type: "remove", id: node.id })),
		);
		const stopped = cluster.stopNode(cluster.node(id));
		expect(["done", "unknown", "refused"]).toContain((await outcome).kind);
		await stopped;
		const next = await cluster.leading();
		await until("one configuration", () => {
			const { outgoing } = next.replica.status().raft.configuration;
			return outgoing.length === 0;
		});
		const { voters } = next.replica.status().raft.configuration;
		expect([3, 5]).toContain(voters.length);
		expect((await put(next.replica, "after", "1")).kind).toBe("applied");
	});
});

describe("a node whose disk was wiped (P31)", () => {
	it("is refused under its old name, also by a node that never met it, and comes back as a new member", async () => {
		cluster = await LoopbackCluster.start(three);
		const { replica } = await cluster.leader();
		await until("names for all", () => registered(replica));
		const fourth = await cluster.join("n4");
		await change(cluster, {
			...{ type: "add", id: "n4", address: addressOf(fourth) },
		});
		await level(fourth.replica as NodeReplica, replica);
		const { id } = await cluster.leading();
		const wiped = cluster.nodes.find(
			(node) => node.id !== id && node.id !== "n4",
		) as LoopbackNode;
		await cluster.stopNode(wiped);
		// n4 has its knowledge from the configuration alone.
		await cluster.stopNode(fourth);
		fourth.known.clear();
		await cluster.startNode(fourth);
		await cluster.wipe(wiped);
		await cluster.startNode(wiped);
		for (const witness of cluster.nodes) {
			if (witness === wiped) continue;
			await until("a refusal", () =>
				witness.diagnoses.some(({ message }) =>
					message.includes(`knows ${wiped.id} as incarnation`),
				),
			);
			const { connectedPeers } = (witness.replica as NodeReplica).status();
			expect(connectedPeers).not.toContain(wiped.id);
		}
		expect(raftOf(wiped).leader).toBeNull();

		await cluster.stopNode(wiped);
		await cluster.wipe(wiped);
		await change(cluster, { type: "remove", id: wiped.id });
		await change(cluster, {
			...{ type: "add", id: wiped.id, address: addressOf(wiped) },
		});
		const back = await cluster.startNode(wiped, { joins: true });
		await change(cluster, { type: "promote", id: wiped.id });
		await fill((await cluster.leading()).replica, "k", 20);
		await level(back, (await cluster.leading()).replica);
		expect(valueIn(await get(back, "k19"))).toBe("v");
	});
});

describe("addresses that change (P62)", () => {
	async function moves(node: LoopbackNode): Promise<void> {
		const [port] = await freePorts(1);
		node.peer = `127.0.0.1:${port}`;
		node.listen = node.peer;
	}

	it("through the log: the node restarts elsewhere and is found", async () => {
		cluster = await LoopbackCluster.start(three);
		const { id } = await cluster.leader();
		const mover = cluster.nodes.find((node) => node.id !== id) as LoopbackNode;
		const initial = cluster.configuration;
		await cluster.stopNode(mover);
		await moves(mover);
		await change(cluster, {
			...{ type: "update", id: mover.id, address: addressOf(mover) },
		});
		await cluster.startNode(mover, { initial });
		const { replica } = await cluster.leader();
		await fill(replica, "k", 20);
		await level(mover.replica as NodeReplica, replica);
	});

	it("find a node that was away meanwhile by what its operator wrote", async () => {
		cluster = await LoopbackCluster.start(three);
		const { id } = await cluster.leader();
		await until("names for all", () =>
			registered(cluster.node(id).replica as NodeReplica),
		);
		const away = cluster.nodes.find((node) => node.id !== id) as LoopbackNode;
		const others = cluster.nodes.filter((node) => node !== away);
		const before = cluster.configuration;
		await cluster.stopNode(away);
		for (const node of others) {
			await moves(node);
			await change(cluster, {
				...{ type: "update", id: node.id, address: addressOf(node) },
			});
			await cluster.stopNode(node);
			await cluster.startNode(node);
			await cluster.leader();
		}
		// With the old file alone it looks for them in vain.
		await cluster.startNode(away, { initial: before });
		await new Promise((resolve) => setTimeout(resolve, 700));
		expect((away.replica as NodeReplica).status().connectedPeers).toEqual([]);
		await cluster.stopNode(away);
		await cluster.startNode(away);
		const { replica } = await cluster.leader();
		await fill(replica, "k", 5);
		await level(away.replica as NodeReplica, replica);
	});
});

describe("a cluster that was changed", () => {
	it("is the same after a restart of all from their snapshots (P30)", async () => {
		cluster = await LoopbackCluster.start(three, { limits: small });
		const fourth = await cluster.join("n4");
		await change(cluster, {
			...{ type: "add", id: "n4", address: addressOf(fourth) },
		});
		await change(cluster, { type: "promote", id: "n4" });
		const { id, replica } = await cluster.leading();
		const leaver = cluster.nodes.find(
			(node) => node.id !== id && node !== fourth,
		) as LoopbackNode;
		await change(cluster, { type: "demote", id: leaver.id });
		const before = (await cluster.leading()).replica.status().raft;
		await fill(replica, "k", 20);
		for (const node of cluster.nodes) {
			await level(node.replica as NodeReplica, replica);
			const taken = await takeSnapshot(node.replica as NodeReplica);
			expect(taken.kind).toBe("taken");
		}
		for (const node of cluster.nodes) await cluster.stopNode(node);
		await Promise.all(cluster.nodes.map((node) => cluster.startNode(node)));
		for (const node of cluster.nodes)
			expect(raftOf(node)).toMatchObject({
				configuration: before.configuration,
				configurationIndex: before.configurationIndex,
			});
		await cluster.leading();
	});
});
