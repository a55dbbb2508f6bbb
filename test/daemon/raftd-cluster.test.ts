import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { raftdGround } from "./raftd-ground.js";
import {
	adminCall,
	ask,
	type NodeFile,
	probe,
	type Raftd,
	writeCluster,
} from "./raftd-process.js";

const ground = raftdGround();

describe("three raftd", () => {
	async function cluster() {
		const nodes = await writeCluster(ground.directory, ["n1", "n2", "n3"]);
		const raftds = await Promise.all(
			nodes.map((node) => ground.startReady(node)),
		);
		const roles = await Promise.all(
			nodes.map((node) => adminCall(node, "GetStatus")),
		);
		const leader = roles.findIndex(({ role }) => role === "leader");
		expect(leader).toBeGreaterThanOrEqual(0);
		return {
			leader: nodes[leader] as NodeFile,
			leading: raftds[leader] as Raftd,
			others: nodes.filter((_, index) => index !== leader),
			following: raftds.filter((_, index) => index !== leader),
		};
	}

	it("elect a leader, and each of them takes writes", async () => {
		const { leader, others } = await cluster();
		for (const [index, node] of [leader, ...others].entries()) {
			const put = { op: "put", key: `k${index}`, value: "v" };
			expect((await ask(node, "command", put)).status).toBe(200);
		}
		const list = await ask(leader, "query", { op: "list", prefix: "k" });
		expect((list.body.answer as { items: unknown[] }).items).toHaveLength(3);
		const { index } = await adminCall(others[0] as NodeFile, "GetReadIndex");
		expect(Number(index)).toBeGreaterThan(0);
	});

	it("hand leadership over before the leader stops", async () => {
		const { leading, others } = await cluster();
		leading.kill("SIGTERM");
		expect((await leading.ended).code).toBe(0);
		expect(leading.log().at(-1)).toMatchObject({
			msg: "stopped",
			handover: "done",
		});
		const status = await adminCall(others[0] as NodeFile, "GetStatus");
		expect(others.map(({ id }) => id)).toContain(status.leaderId);
		const put = { op: "put", key: "after", value: "v" };
		expect((await ask(others[0] as NodeFile, "command", put)).status).toBe(200);
	});

	it("stay alive, but not ready, without a quorum, and recover", async () => {
		const { leader, leading, following } = await cluster();
		for (const raftd of following) raftd.kill("SIGSTOP");
		await leading.until(async () => (await probe(leader, "/readyz")) === 503);
		expect(await probe(leader, "/livez")).toBe(200);
		const refused = await adminCall(leader, "GetReadIndex", { timeoutMs: 300 });
		expect(refused.code).toBe("unavailable");
		for (const raftd of following) raftd.kill("SIGCONT");
		await leading.until(async () => (await probe(leader, "/readyz")) === 200);
	});

	it("refuse a member whose disk was wiped, as it has forgotten its votes", async () => {
		const { leader, others, following } = await cluster();
		const [victim, witness] = others as [NodeFile, NodeFile];
		const [wiped] = following as [Raftd, Raftd];
		wiped.kill("SIGKILL");
		await wiped.ended;
		rmSync(victim.data, { recursive: true });
		const reborn = ground.start(victim);
		await reborn.until(async () => (await probe(victim, "/livez")) === 200);
		const refused = /raftd_peer_refused_total [1-9]/;
		await reborn.until(async () => {
			const metrics = await fetch(`http://${witness.admin}/metrics`);
			return refused.test(await metrics.text());
		});
		expect(await probe(victim, "/readyz")).toBe(503);
		const { connectedPeers } = await adminCall(leader, "GetStatus");
		expect(connectedPeers).toEqual([witness.id]);
	});

	it("keep one operation lock, whichever node is asked", async () => {
		const { leader, others } = await cluster();
		const [first, second] = others as [NodeFile, NodeFile];
		const lock = { holder: "ci", host: "h", operation: "roll", ttlMs: 60_000 };
		const taken = await adminCall(first, "AcquireLock", lock);
		expect(taken.lock).toMatchObject({ holder: "ci" });
		const refused = await adminCall(second, "AcquireLock", lock);
		expect(refused.code).toBe("aborted");
		// Every node that has applied the lock fences off calls without its token.
		const { index } = await adminCall(leader, "GetReadIndex");
		const applied = await ask(leader, "query", { op: "get", key: "x" });
		expect(Number(applied.body.index)).toBeGreaterThanOrEqual(Number(index));
		const fenced = await adminCall(leader, "Drain", { leaseMs: 1000 });
		expect(fenced.code).toBe("failed_precondition");
	});
});
