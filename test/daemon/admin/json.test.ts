import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdminNode, startAdminNode } from "./admin-node.js";

let node: AdminNode;
beforeEach(async () => {
	node = await startAdminNode();
});
afterEach(() => node.server.close());

async function call(method: string, request: object = {}) {
	const response = await fetch(
		`http://${node.address}/raftctl.admin.v1.AdminService/${method}`,
		{
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(request),
		},
	);
	return {
		status: response.status,
		body: (await response.json()) as Record<string, unknown> & {
			code?: string;
			message?: string;
			lock?: Record<string, unknown>;
			details?: { type: string; debug?: unknown }[];
		},
	};
}

const lock = { holder: "ci", host: "h1", operation: "roll", ttlMs: 60_000 };

async function acquire(): Promise<string> {
	const { body } = await call("AcquireLock", lock);
	return String(body.lock?.fencingToken);
}

describe("the admin service as JSON over HTTP", () => {
	it("says what the node knows of itself and of the group", async () => {
		const { status, body } = await call("GetStatus");
		expect(status).toBe(200);
		expect(body).toMatchObject({
			clusterId: "c1",
			nodeId: "n1",
			incarnation: "i1",
			processId: "p1",
			role: "leader",
			term: "3",
			leaderId: "n1",
			commitIndex: "10",
			appliedIndex: "10",
			inflightRequests: 5,
			connections: { total: 9, websockets: 4, streams: 2 },
			readiness: { ready: true },
			connectedPeers: ["n2", "n3"],
			levels: { readsFrom: 1, readsTo: 2, writes: 1 },
		});
		expect(body.configuration).toMatchObject({
			index: "1",
			members: [{ id: "n1", role: "voter" }, { id: "n2" }, { id: "n3" }],
		});
		expect(body.followers).toHaveLength(2);
	});

	it("confirms the commit index, and says so when no quorum does", async () => {
		expect((await call("GetReadIndex")).body).toEqual({
			index: "10",
			leaderId: "n1",
			term: "3",
		});
		node.replica.readIndexAnswer = null;
		const { status, body } = await call("GetReadIndex", { timeoutMs: 100 });
		expect(status).toBe(503);
		expect(body.code).toBe("unavailable");
		expect(body.message).toContain("within 100 ms");
	});

	it("drains in two steps and ends a drain", async () => {
		const announced = await call("Drain", { leaseMs: 5000 });
		expect(announced.body.drain).toMatchObject({
			draining: true,
			connectionsLeft: 6,
		});
		expect(node.moved).toEqual([]);
		await call("Drain", { leaseMs: 5000, close: true, closeOverMs: 300 });
		expect(node.moved).toEqual(["begin 300"]);
		await call("Undrain");
		expect(node.moved).toEqual(["begin 300", "stop"]);
		expect((await call("GetStatus")).body.drain).toMatchObject({
			connectionsLeft: 6,
		});
	});

	it("refuses a lease that nobody could renew in time", async () => {
		const { status, body } = await call("Drain", { leaseMs: 5 });
		expect(status).toBe(400);
		expect(body.message).toContain("lease_ms must be 100 to 600000, not 5");
		expect(node.draining.view().draining).toBe(false);
	});

	it("refuses drain and undrain once the node is stopping", async () => {
		node.draining.stop();
		for (const [method, request] of [
			["Drain", { leaseMs: 1000 }],
			["Undrain", {}],
		] as const) {
			const { body } = await call(method, request);
			expect(body.code).toBe("failed_precondition");
			expect(body.message).toContain("n1 is stopping");
		}
	});

	it("hands leadership over and names the successor", async () => {
		const { body } = await call("TransferLeadership", { target: "n3" });
		expect(body).toMatchObject({ leaderId: "n3", term: "3" });
		expect(node.replica.transfers).toEqual(["n3"]);
	});

	it("hands leadership to the best voter when no target is named", async () => {
		await call("TransferLeadership");
		expect(node.replica.transfers).toEqual([null]);
	});

	it("says why leadership stays, and who could have taken it", async () => {
		node.replica.onTransfer = () => "target-lagging";
		const refused = await call("TransferLeadership", { target: "n2" });
		expect(refused.body.code).toBe("failed_precondition");
		expect(refused.body.message).toContain("goes on leading: target-lagging");
		const unknown = await call("TransferLeadership", { target: "n9" });
		expect(unknown.status).toBe(400);
		expect(unknown.body.message).toContain("the voters are n1, n2, n3");
	});

	it("answers 404 for a method that does not exist and 415 for another content type", async () => {
		const url = `http://${node.address}/raftctl.admin.v1.AdminService`;
		expect((await fetch(`${url}/Nothing`, { method: "POST" })).status).toBe(
			404,
		);
		const plain = { method: "POST", body: "{}" };
		expect((await fetch(`${url}/GetStatus`, plain)).status).toBe(415);
	});

	it("refuses requests that are not JSON, or larger than any sound one", async () => {
		const url = `http://${node.address}/raftctl.admin.v1.AdminService/Drain`;
		const headers = { "content-type": "application/json" };
		const post = (body: string) =>
			fetch(url, { method: "POST", headers, body });
		expect((await post('{"leaseMs":')).status).toBe(400);
		const large = await post(JSON.stringify({ leaseMs: "9".repeat(100_000) }));
		expect(large.status).toBe(429);
		expect(node.internalErrors).toEqual([]);
	});
});

describe("the operation lock", () => {
	it("is taken, renewed and released", async () => {
		const token = await acquire();
		const renewed = await call("RenewLock", {
			fencingToken: token,
			ttlMs: 60_000,
			step: "restart n2",
		});
		expect(renewed.body.lock).toMatchObject({
			holder: "ci",
			fencingToken: token,
			step: "restart n2",
		});
		expect((await call("ReleaseLock", { fencingToken: token })).status).toBe(
			200,
		);
		expect((await call("GetStatus")).body.lock).toEqual({});
	});

	it("names its holder to whoever comes second", async () => {
		await acquire();
		const { status, body } = await call("AcquireLock", lock);
		expect(status).toBe(409);
		expect(body.code).toBe("aborted");
		expect(body.message).toContain("ci on h1 holds it for roll until");
		expect(body.details?.[0]).toMatchObject({
			type: "raftctl.admin.v1.Lock",
			debug: { holder: "ci", operation: "roll" },
		});
	});

	it("tells a holder that has lost it", async () => {
		const { body } = await call("RenewLock", {
			fencingToken: "4",
			ttlMs: 60_000,
		});
		expect(body.code).toBe("aborted");
		expect(body.message).toContain("the operation lock was lost");
	});

	it("fences off calls with an older token, and calls without one", async () => {
		const old = await acquire();
		await call("ReleaseLock", { fencingToken: old });
		const token = await acquire();
		for (const fencingToken of [old, "0"]) {
			for (const [method, request] of [
				["Drain", { leaseMs: 1000 }],
				["Undrain", {}],
				["TransferLeadership", {}],
			] as const) {
				const { body } = await call(method, { ...request, fencingToken });
				expect(body.code).toBe("failed_precondition");
				expect(body.message).toContain("ci on h1 holds the lock for roll");
			}
		}
		expect(node.draining.view().draining).toBe(false);
		const holder = { leaseMs: 1000, fencingToken: token };
		expect((await call("Drain", holder)).status).toBe(200);
	});

	it("does not stop a person once it has run out", async () => {
		await call("AcquireLock", { ...lock, ttlMs: 1000 });
		expect((await call("Undrain")).status).toBe(400);
		const expiresAtMs = node.replica.controlState().lock?.expiresAtMs ?? 0;
		while (Date.now() < expiresAtMs)
			await new Promise((resolve) => setTimeout(resolve, 50));
		expect((await call("Undrain")).status).toBe(200);
	});

	it("says whether anything happened when there is no quorum", async () => {
		node.replica.refuseControl = {
			kind: "rejected",
			reason: "no-leader",
			message: "no leader is known",
			retryAfterMs: 100,
		};
		const rejected = await call("AcquireLock", lock);
		expect(rejected.body).toMatchObject({
			code: "unavailable",
			message: "the lock was not touched: no leader is known",
		});
		node.replica.refuseControl = { kind: "unknown", message: "leader lost" };
		const unknown = await call("AcquireLock", lock);
		expect(unknown.body).toMatchObject({
			code: "deadline_exceeded",
			message: "the lock may or may not have changed: leader lost",
		});
	});

	it("checks what a command says before the log sees it", async () => {
		expect((await call("AcquireLock", { ...lock, holder: "" })).status).toBe(
			400,
		);
		expect((await call("AcquireLock", { ...lock, ttlMs: 1 })).status).toBe(400);
		const far = { fencingToken: "18446744073709551615" };
		expect((await call("ReleaseLock", far)).status).toBe(400);
	});
});

describe("on a follower", () => {
	it("a transfer names the leader and where to ask it", async () => {
		await node.server.close();
		node = await startAdminNode("follower");
		const { body } = await call("TransferLeadership");
		expect(body.code).toBe("failed_precondition");
		expect(body.message).toBe("n1 does not lead; ask n2 at 127.0.0.1:7012");
		expect(body.details?.[0]?.debug).toMatchObject({
			id: "n2",
			adminAddress: "127.0.0.1:7012",
		});
		node.replica.raft = { ...node.replica.raft, leader: null };
		expect((await call("TransferLeadership")).body.code).toBe("unavailable");
	});
});
