import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RaftdGround } from "../daemon/raftd-ground.js";
import {
	adminCall,
	ask,
	type NodeFile,
	place,
	probe,
	type Raftd,
	writeCluster,
	writeJoining,
	writeNode,
} from "../daemon/raftd-process.js";
import { eventually } from "./local-cluster.js";
import {
	change,
	changeOnce,
	isReady,
	leaderOf,
	metric,
	newMember,
	statusOf,
} from "./real-nodes.js";

/** So that a new node gets a snapshot, and the log of the others does not reach back. */
const changes = { limits: { snapshotEntries: 80, segmentBytes: 65_536 } };

const ground = new RaftdGround();
let nodes: NodeFile[] = [];
const running = new Map<string, Raftd>();

beforeEach(async () => {
	ground.open();
	nodes = await writeCluster(ground.directory, ["n1", "n2", "n3"], changes);
	await Promise.all(nodes.map(start));
});
afterEach(() => ground.close());

async function start(node: NodeFile): Promise<Raftd> {
	const raftd = await ground.startReady(node);
	running.set(node.id, raftd);
	return raftd;
}

async function stop(node: NodeFile, signal: NodeJS.Signals): Promise<void> {
	const raftd = running.get(node.id) as Raftd;
	raftd.kill(signal);
	await raftd.ended;
}

async function fill(prefix: string, count: number): Promise<void> {
	const leader = await leaderOf(nodes);
	const value = "v".repeat(1000);
	for (let at = 0; at < count; at += 50) {
		const batch = Array.from({ length: 50 }, (_, more) => {
			const key = `${prefix}${at + more}`;
			return ask(leader, "command", { op: "put", key, value });
		});
		for (const { status } of await Promise.all(batch)) expect(status).toBe(200);
	}
}

async function join(id: string): Promise<NodeFile> {
	const node = await writeJoining(ground.directory, id, { nodes, changes });
	const raftd = ground.start(node);
	running.set(id, raftd);
	await raftd.until(async () => (await probe(node, "/livez")) === 200);
	return node;
}

const reasonOf = async (node: NodeFile, check: string) =>
	await (await fetch(`http://${node.admin}/readyz/${check}?verbose`)).text();

const roleOf = async (node: NodeFile, id: string) =>
	(await statusOf(node)).configuration?.members?.find(
		(member) => member.id === id,
	)?.role;

describe("a cluster of processes", () => {
	it("takes a fourth node in by a snapshot, loses its leader to a removal, and goes on", async () => {
		await fill("k", 300);
		await eventually(
			async () =>
				Number((await statusOf(await leaderOf(nodes))).firstIndex) > 1,
			"a compacted log",
		);
		const fourth = await join("n4");
		expect(await isReady(fourth)).toBe(false);
		expect(await reasonOf(fourth, "member")).toContain(
			"the node waits to be added to the cluster",
		);
		const never = { ...fourth, id: "n9" };
		await change(nodes, await newMember(fourth));
		await eventually(() => isReady(fourth), "a learner that is ready");
		expect(
			await metric(fourth, 'raftd_snapshots_total{outcome="installed"}'),
		).toBe(1);
		expect(await roleOf(fourth, "n4")).toBe("learner");
		await change(nodes, { id: "n4", type: "promote" });
		await eventually(
			async () => (await roleOf(fourth, "n4")) === "voter",
			"the word of the promotion",
		);
		const found = await ask(fourth, "query", { op: "get", key: "k299" });
		expect(found.body.answer).toMatchObject({ value: "v".repeat(1000) });

		const unknown = await changeOnce(nodes, {
			changes: [{ id: never.id, type: "remove" }],
		});
		expect(unknown).toMatchObject({
			code: "failed_precondition",
			details: [{ debug: { reason: "unknown-member", node: "n9" } }],
		});

		const old = await leaderOf(nodes);
		await change([...nodes, fourth], { id: old.id, type: "remove" });
		const left = [...nodes, fourth].filter((node) => node !== old);
		const leader = await leaderOf(left);
		await eventually(async () => !(await isReady(old)), "the removed to know");
		await eventually(
			async () =>
				(await reasonOf(old, "member")).includes(
					"was removed from the cluster",
				),
			"its word for it",
		);
		const { term } = await statusOf(leader);
		const put = { op: "put", key: "after", value: "1" };
		for (const node of left)
			expect((await ask(node, "command", put)).status).toBe(200);
		await new Promise((resolve) => setTimeout(resolve, 1500));
		expect((await statusOf(leader)).term).toBe(term);
		for (const node of left) expect(await isReady(node)).toBe(true);
	});

	it("replaces a node whose disk was lost, and refuses it under its old name until then", async () => {
		await fill("k", 100);
		await eventually(async () => {
			const { configuration } = await statusOf(await leaderOf(nodes));
			return configuration?.members?.every(({ incarnation }) => incarnation);
		}, "all directories to be known");
		const leader = await leaderOf(nodes);
		const lost = nodes.find((node) => node !== leader) as NodeFile;
		await stop(lost, "SIGKILL");
		rmSync(lost.data, { recursive: true });
		const others = nodes.filter((node) => node !== lost);
		const reborn = ground.start(lost);
		running.set(lost.id, reborn);
		for (const node of others)
			await eventually(
				async () => ((await metric(node, "raftd_peer_refused_total")) ?? 0) > 0,
				"a refusal",
			);
		expect(await isReady(lost)).toBe(false);
		await stop(lost, "SIGKILL");

		rmSync(lost.data, { recursive: true });
		writeNode(lost, nodes, { ...changes, join: true });
		const again = ground.start(lost);
		running.set(lost.id, again);
		await again.until(async () => (await probe(lost, "/livez")) === 200);
		await change(others, { id: lost.id, type: "remove" });
		await change(others, await newMember(lost));
		await change(others, { id: lost.id, type: "promote" });
		await eventually(() => isReady(lost), "the new one to be ready");
		const found = await ask(lost, "query", { op: "get", key: "k99" });
		expect(found.body.answer).toMatchObject({ value: "v".repeat(1000) });
	});

	it("finds a node that moved to other ports, once the log says so", async () => {
		const leader = await leaderOf(nodes);
		const mover = nodes.find((node) => node !== leader) as NodeFile;
		const target = await place(ground.directory, mover.id);
		await change(nodes, {
			...{ id: mover.id, type: "update", peerAddress: target.peer },
			...{ clientAddress: target.client, adminAddress: target.admin },
		});
		await stop(mover, "SIGTERM");
		writeNode(
			target,
			nodes.map((node) => (node === mover ? target : node)),
			changes,
		);
		await start(target);
		await eventually(async () => {
			const { connectedPeers = [] } = await statusOf(leader);
			return connectedPeers.includes(mover.id);
		}, "the link");
	});

	it("promotes no learner that does not run, and changes nothing while its leader dies", async () => {
		const fourth = await join("n4");
		const added = await newMember(fourth);
		await stop(fourth, "SIGKILL");
		await change(nodes, added);
		const refused = await changeOnce(nodes, {
			changes: [{ id: "n4", type: "promote" }],
		});
		expect(refused).toMatchObject({
			code: "failed_precondition",
			details: [{ debug: { reason: "target-unreachable", node: "n4" } }],
		});
		const leader = await leaderOf(nodes);
		const others = nodes.filter((node) => node !== leader);
		// Asked of a leader that cannot hear anybody: nobody knows yet how it ends.
		for (const node of others) running.get(node.id)?.kill("SIGSTOP");
		const demote = { id: others[0]?.id, type: "demote" };
		const asked = adminCall(leader, "ChangeMembership", {
			changes: [demote],
		}).catch(() => null);
		await new Promise((resolve) => setTimeout(resolve, 50));
		await stop(leader, "SIGKILL");
		for (const node of others) running.get(node.id)?.kill("SIGCONT");
		await start(leader);
		expect((await asked)?.index).toBeUndefined();
		await eventually(async () => {
			const roles = await Promise.all(
				nodes.map((node) => roleOf(node, others[0]?.id as string)),
			);
			return new Set(roles).size === 1 && roles[0] !== "outgoing";
		}, "one configuration");
		const put = { op: "put", key: "after", value: "1" };
		expect((await ask(leader, "command", put)).status).toBe(200);
	});
});
