import { afterEach, beforeEach, expect, it } from "vitest";
import type { NodeRef } from "../../src/cluster/engine.js";
import { createRaftdEngine } from "../../src/cluster/raftd-engine.js";
import { RaftdGround } from "../daemon/raftd-ground.js";
import {
	type NodeFile,
	type Raftd,
	writeCluster,
} from "../daemon/raftd-process.js";
import { isReady, leaderOf } from "./real-nodes.js";

const ground = new RaftdGround();
const engine = createRaftdEngine();
const options = { timeoutMs: 10_000 };

beforeEach(() => ground.open());
afterEach(() => ground.close());

async function start(node: NodeFile): Promise<Raftd> {
	const raftd = ground.start(node);
	await raftd.until(() => isReady(node));
	return raftd;
}

const refOf = ({ id, admin }: NodeFile): NodeRef => ({ id, admin });

it("keeps the journal through any node, over a death of all of them and a snapshot", async () => {
	const nodes = await writeCluster(ground.directory, ["n1", "n2", "n3"]);
	const running = await Promise.all(nodes.map(start));
	const leader = await leaderOf(nodes);
	const [one, other] = nodes.filter((node) => node !== leader);
	const follower = refOf(one as NodeFile);

	const { fencingToken } = await engine.acquireLock(
		follower,
		{
			...{ holder: "ann@desk:1", host: "desk", nonce: "f00d" },
			...{ operation: "roll", ttlMs: 60_000 },
		},
		options,
	);
	const write = { id: "o1", unfinished: true, record: "{}", fencingToken };
	await engine.writeOperation(follower, write, options);
	await engine.pauseOperation(refOf(other as NodeFile), "o1", options);
	for (const node of nodes)
		expect(await engine.operations(refOf(node), options)).toMatchObject([
			{ id: "o1", unfinished: true, pauseRequested: true },
		]);

	for (const node of nodes) await engine.takeSnapshot(refOf(node), options);
	const listed = await engine.operations(follower, options);
	for (const raftd of running) raftd.kill("SIGKILL");
	for (const raftd of running) await raftd.ended;
	await Promise.all(nodes.map(start));
	for (const node of nodes) {
		expect(await engine.operations(refOf(node), options)).toEqual(listed);
		const [snapshot] = await engine.snapshots(refOf(node), options);
		expect(snapshot?.index).toBeGreaterThan(0);
	}

	const last = { ...write, unfinished: false, record: '"done"' };
	await engine.writeOperation(refOf(leader), last, options);
	expect((await engine.status(follower, options)).lock).toMatchObject({
		holder: "ann@desk:1",
	});
	const [finished] = await engine.operations(follower, options);
	expect(finished).toMatchObject({ unfinished: false, record: '"done"' });
});
