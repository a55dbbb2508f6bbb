import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdminNode, callJson, startAdminNode } from "./admin-node.js";

let node: AdminNode;
beforeEach(async () => {
	node = await startAdminNode();
});
afterEach(() => node.server.close());

const call = (method: string, request: object = {}) =>
	callJson(node, method, request);

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

	it("says that it is stopping, which no drain by wish does", async () => {
		await call("Drain", { leaseMs: 5000 });
		expect((await call("GetStatus")).body.drain).not.toHaveProperty("stopping");
		node.draining.stop();
		expect((await call("GetStatus")).body.drain).toMatchObject({
			draining: true,
			stopping: true,
		});
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

	it("refuses a field that it does not know, by name, and does nothing", async () => {
		const { status, body } = await call("Drain", {
			...{ leaseMs: 5000, closeOver: 300 },
		});
		expect(status).toBe(400);
		expect(body.code).toBe("invalid_argument");
		expect(body.message).toContain('"closeOver" is unknown');
		expect(node.draining.view().draining).toBe(false);
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
