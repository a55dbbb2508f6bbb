import { afterEach, describe, expect, it } from "vitest";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import type {
	CommandOutcome,
	SessionStamp,
} from "../../../src/daemon/replica.js";
import { kv } from "../../../src/machines/kv/machine.js";
import { defineMachine, type Machine } from "../../../src/machines/machine.js";
import {
	get,
	LoopbackCluster,
	until,
	valueIn,
} from "../../fakes/loopback-cluster.js";
import { level } from "./changing.js";

let cluster: LoopbackCluster;
afterEach(() => cluster.close());

const ttlMs = 300;

/** The key-value machine, and at which indexes each node's copy of it executed a command. */
function counting() {
	const executed: number[] = [];
	const machine = defineMachine({
		...kv,
		apply(state, command, context) {
			executed.push(context.index);
			return kv.apply(state, command, context);
		},
	}) as Machine;
	return { machine, executed };
}

function putOnce(
	replica: NodeReplica,
	value: string,
	session: SessionStamp,
	ack: "commit" | "apply" = "apply",
): Promise<CommandOutcome> {
	const json = { op: "put", key: "k", value };
	const command = kv.json?.command(json, 1) as Uint8Array;
	const options = { ack, deadlineMs: 20_000, client: "c", session };
	return new Promise((resolve) => replica.propose(command, options, resolve));
}

/** The cluster's clock moves only with what is in the log. */
async function control(
	replica: NodeReplica,
	command: object,
): Promise<{ readonly index: number }> {
	const bytes = Buffer.from(JSON.stringify({ ...command, nowMs: Date.now() }));
	const outcome = await new Promise<CommandOutcome>((resolve) =>
		replica.control(bytes, 20_000, resolve),
	);
	if (outcome.kind !== "applied") throw new Error(JSON.stringify(outcome));
	return outcome;
}

/** A session in which command 1 was executed, and that has expired since. */
async function expiredSession(replica: NodeReplica) {
	const { index: id } = await control(replica, { type: "open-session", ttlMs });
	const first = { id, sequence: 1, acknowledged: 0 };
	const done = await putOnce(replica, "one", first);
	expect(done.kind).toBe("applied");
	const { index } = done as { index: number };
	const since = replica.controlState().nowMs;
	await until("the end of the session", () => Date.now() > since + ttlMs);
	await control(replica, { type: "tick" });
	return { first, index };
}

const isExpired = { kind: "rejected", reason: "session-expired" };

describe("a command that is sent again after its session has expired", () => {
	it("is refused on every node, and executed a second time on none (P58)", async () => {
		const counted = counting();
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"], {
			machine: counted.machine,
		});
		const { replica } = await cluster.leader();
		const { first, index } = await expiredSession(replica);
		for (const node of cluster.running)
			for (const ack of ["apply", "commit"] as const)
				expect(await putOnce(node, "two", first, ack)).toMatchObject(isExpired);
		for (const node of cluster.running) await level(node, replica);
		// One copy of the machine on each of the three nodes.
		expect(counted.executed).toEqual([index, index, index]);
		expect(valueIn(await get(replica, "k"))).toBe("one");
	});

	it("is refused after all have restarted, and replay executes it once alone (P58)", async () => {
		const counted = counting();
		cluster = await LoopbackCluster.start(["n1"], { machine: counted.machine });
		const [node] = cluster.nodes as [(typeof cluster.nodes)[number]];
		const { replica } = await cluster.leader();
		const { first, index } = await expiredSession(replica);
		expect(await putOnce(replica, "two", first)).toMatchObject(isExpired);
		await cluster.stopNode(node);
		counted.executed.length = 0;
		await cluster.startNode(node);
		const again = (await cluster.leader()).replica;
		expect(await putOnce(again, "three", first)).toMatchObject(isExpired);
		expect(counted.executed).toEqual([index]);
		expect(valueIn(await get(again, "k"))).toBe("one");
	});

	it("is executed under another session: nobody knows its first attempt any more", async () => {
		const counted = counting();
		cluster = await LoopbackCluster.start(["n1"], { machine: counted.machine });
		const { replica } = await cluster.leader();
		const { first } = await expiredSession(replica);
		const { index: id } = await control(replica, {
			...{ type: "open-session", ttlMs: 60_000 },
		});
		expect(id).not.toBe(first.id);
		const outcome = await putOnce(replica, "two", { ...first, id });
		expect(outcome.kind).toBe("applied");
		expect(counted.executed).toHaveLength(2);
		expect(valueIn(await get(replica, "k"))).toBe("two");
	});
});
