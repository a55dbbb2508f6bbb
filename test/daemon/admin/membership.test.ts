import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
	ChangeRefusal,
	ChangeRefusalReason,
} from "../../../src/raft/types.js";
import { type AdminNode, callJson, startAdminNode } from "./admin-node.js";

let node: AdminNode;
beforeEach(async () => {
	node = await startAdminNode();
});
afterEach(() => node.server.close());

const call = (method: string, request: object = {}) =>
	callJson(node, method, request);
const change = (...changes: object[]) => call("ChangeMembership", { changes });

const newMember = {
	...{ id: "n4", type: "add", incarnation: "i4" },
	...{ peerAddress: "h:1", clientAddress: "h:2", adminAddress: "[::1]:3" },
};

function refuse(refusal: Partial<ChangeRefusal>): void {
	node.replica.changeOutcome = {
		kind: "refused",
		refusal: { reason: "not-leader", node: null, catchUp: null, ...refusal },
	};
}

describe("a change of membership", () => {
	it("is handed to the leader as one, and ends with the index of the configuration", async () => {
		const { status, body } = await call("ChangeMembership", {
			changes: [newMember, { id: "n2", type: "demote" }],
			...{ expectedIndex: 7, waived: ["quorum"] },
		});
		expect(status).toBe(200);
		expect(body).toEqual({ index: "11" });
		expect(node.replica.changes).toEqual([
			{
				changes: [
					{
						...{ type: "add", id: "n4" },
						address: {
							...{ peer: "h:1", client: "h:2", admin: "[::1]:3" },
							incarnation: "i4",
						},
					},
					{ type: "demote", id: "n2" },
				],
				...{ expectedIndex: 7, waived: ["quorum"] },
			},
		]);
	});

	it("waits until the leader has executed what is committed: by then the lock may be another's", async () => {
		const lock = { host: "h", operation: "o", ttlMs: 60_000 };
		const first = await call("AcquireLock", { ...lock, holder: "first" });
		const { fencingToken } = (first.body as { lock: { fencingToken: string } })
			.lock;
		node.replica.readIndexAnswer = 50;
		const late = call("ChangeMembership", {
			...{ changes: [{ id: "n2", type: "demote" }], fencingToken },
		});
		await call("ReleaseLock", { fencingToken });
		await call("AcquireLock", { ...lock, holder: "second" });
		expect(node.replica.changes).toEqual([]);
		node.replica.applied = 50;
		expect(await late).toMatchObject({
			body: { message: expect.stringContaining("out of date") },
		});
		expect(node.replica.changes).toEqual([]);
	});

	it("is not made where no quorum confirms who leads", async () => {
		node.replica.readIndexAnswer = null;
		const { body } = await change({ id: "n2", type: "demote" });
		expect(body).toMatchObject({ code: "unavailable" });
		expect(node.replica.changes).toEqual([]);
	});

	it("that updates an address leaves the others as they are, and the incarnation", async () => {
		await change({ id: "n2", type: "update", peerAddress: "elsewhere:9" });
		expect(node.replica.changes[0]).toMatchObject({
			changes: [
				{
					...{ type: "update", id: "n2" },
					address: {
						peer: "elsewhere:9",
						client: "127.0.0.1:7011",
						admin: "127.0.0.1:7012",
					},
				},
			],
			expectedIndex: null,
		});
	});

	it.each<[object, string]>([
		[{ changes: [] }, "changes must be 1 to 64, not 0"],
		[
			{ changes: Array(65).fill({ id: "n2", type: "demote" }) },
			"changes must be 1 to 64, not 65",
		],
		[
			{ changes: [{ id: "n2", type: "kick" }] },
			'changes.type is "kick"; there are add, promote',
		],
		[{ changes: [{ id: "../n2", type: "remove" }] }, 'changes.id is "../n2"'],
		[
			{ changes: [{ ...newMember, incarnation: "" }] },
			"changes.incarnation must not be empty",
		],
		[
			{ changes: [{ ...newMember, peerAddress: "h" }] },
			'changes.peer_address is "h": it must be host:port',
		],
		[
			{ changes: [{ ...newMember, adminAddress: "" }] },
			'changes.admin_address is ""',
		],
		[
			{ changes: [{ ...newMember, peerAddress: "h:70000" }] },
			'changes.peer_address is "h:70000"',
		],
		[
			{ changes: [{ ...newMember, clientAddress: "h:0" }] },
			'changes.client_address is "h:0"',
		],
		[
			{ changes: [{ id: "n2", type: "remove" }], waived: ["everything"] },
			"waived names everything; there are catch-up and quorum",
		],
	])("like %o is refused before anybody sees it", async (request, sentence) => {
		const { status, body } = await call("ChangeMembership", request);
		expect(status).toBe(400);
		expect(body.message).toContain(sentence);
		expect(node.replica.changes).toEqual([]);
	});

	it("that removes a node and adds it again is told to be two, and with which incarnation", async () => {
		refuse({ reason: "duplicate-member", node: "n2" });
		const { body } = await change(
			{ id: "n2", type: "remove" },
			{ ...newMember, id: "n2" },
		);
		expect(body.message).toContain(
			"nothing was changed: one change cannot remove n2 and add it again",
		);
		expect(body.message).toContain("a second change, with the incarnation");
		const { body: other } = await change({ ...newMember, id: "n2" });
		expect(other.message).toBe("nothing was changed: n2 is a member already");
	});

	it("that may or may not come about says so", async () => {
		const message = "the change may or may not come about: who knows";
		node.replica.changeOutcome = { kind: "unknown", message };
		const { body } = await change({ id: "n2", type: "remove" });
		expect(body).toMatchObject({ code: "aborted", message });
	});

	it("that is refused for a single entry does not count it as several", async () => {
		const catchUp = {
			...{ lagEntries: 1, entriesPerSecond: 0, remainingMs: null },
			caughtUp: false,
		};
		refuse({ reason: "target-lagging", node: "n4", catchUp });
		const { body } = await change({ id: "n4", type: "promote" });
		expect(body.message).toContain(": 1 entry behind, 0 a second, ");
	});

	it("that is refused says why, with the reason as a word and how far a learner is", async () => {
		const catchUp = {
			...{ lagEntries: 5000, entriesPerSecond: 100, remainingMs: 50_000 },
			caughtUp: false,
		};
		refuse({ reason: "target-lagging", node: "n4", catchUp });
		const { status, body } = await change({ id: "n4", type: "promote" });
		expect(status).toBe(400);
		expect(body).toMatchObject({
			code: "failed_precondition",
			message:
				"nothing was changed: n4 has not caught up: 5000 entries behind, 100 a second, about 50 s to go",
			details: [
				{
					type: "raftctl.admin.v1.ChangeRefusal",
					debug: {
						...{ reason: "target-lagging", node: "n4" },
						catchUp: { lagEntries: "5000", remainingMs: 50_000 },
					},
				},
			],
		});
		const never = { ...catchUp, remainingMs: null };
		refuse({ reason: "target-lagging", node: "n4", catchUp: never });
		const stuck = await change({ id: "n4", type: "promote" });
		expect(stuck.body.message).toContain("does not gain on the leader");
		expect(stuck.body.details?.[0]?.debug).toMatchObject({
			catchUp: { remainingMs: -1 },
		});
	});

	it("has a sentence for every reason", async () => {
		const reasons: Record<ChangeRefusalReason, string> = {
			"not-leader": "does not lead",
			transferring: "handed over",
			"disk-stalled": "disk",
			"term-not-committed": "the leader is new",
			"change-in-flight": "another change",
			"configuration-changed": "since you looked",
			"nothing-to-change": "like that already",
			"unknown-member": "n9 is not a member",
			"duplicate-member": "n9 is a member already",
			"not-a-learner": "n9 is not a learner",
			"not-a-voter": "n9 is not a voter",
			"no-voters": "nobody would be left",
			"target-unreachable": "not heard n9 lately",
			"target-lagging": "nothing is known of it yet",
			"quorum-at-risk": "fewer than a majority",
			"other-incarnation": "another data directory",
		};
		for (const [reason, words] of Object.entries(reasons)) {
			refuse({ reason: reason as ChangeRefusalReason, node: "n9" });
			const { body } = await change({ id: "n9", type: "remove" });
			expect(body.message).toContain(words);
			expect(body.details?.[0]?.debug).toMatchObject({ reason, node: "n9" });
		}
	});

	it("needs the fencing token while an operation holds the lock, and the leader", async () => {
		await call("AcquireLock", {
			...{ holder: "ci", host: "h", operation: "roll", ttlMs: 60_000 },
		});
		for (const [method, request] of [
			["ChangeMembership", { changes: [{ id: "n2", type: "remove" }] }],
			["SetWriteLevel", { level: 2 }],
			["ClearAlarm", { kind: "state-differs", node: "n2" }],
		] as const) {
			const { body } = await call(method, request);
			expect(body.message).toContain("ci on h holds the lock");
		}
		await node.server.close();
		node = await startAdminNode("follower");
		for (const method of ["ChangeMembership", "SetWriteLevel"]) {
			const { body } = await call(method);
			expect(body.message).toBe("n1 does not lead; ask n2 at 127.0.0.1:7012");
		}
		expect(node.replica.changes).toEqual([]);
	});
});

describe("the write level", () => {
	it("is raised, or the reason is said", async () => {
		expect((await call("SetWriteLevel", { level: 2 })).status).toBe(200);
		expect((await call("GetStatus")).body.writeLevel).toEqual({
			...{ level: 2, release: "scripted" },
		});
		node.replica.levelRefusal = "n3 reads levels 1 to 1";
		const { body } = await call("SetWriteLevel", { level: 3 });
		expect(body).toMatchObject({
			code: "failed_precondition",
			message: "the write level was not raised to 3: n3 reads levels 1 to 1",
		});
		expect((await call("SetWriteLevel", { level: 256 })).status).toBe(400);
	});
});

describe("a snapshot by wish", () => {
	it("answers with its index, or with what the disk says", async () => {
		expect((await call("TakeSnapshot")).body).toEqual({ index: "10" });
		node.replica.snapshotOutcome = {
			...{ kind: "failed", message: "the disk is full" },
		};
		const { body } = await call("TakeSnapshot");
		expect(body).toMatchObject({
			code: "failed_precondition",
			message: "n1 took no snapshot: the disk is full",
		});
	});
});

describe("an alarm", () => {
	const about = { kind: "state-differs", node: "n1" };

	function raise(alarm: object = about): Promise<unknown> {
		const command = {
			...{ type: "raise-alarm", ...alarm, index: 1024 },
			...{ message: "its state differs", nowMs: Date.now() },
		};
		const bytes = Buffer.from(JSON.stringify(command));
		return new Promise((resolve) => node.replica.control(bytes, 1000, resolve));
	}

	it("takes the node that it is about out of the balancer, and ends when it is cleared", async () => {
		const ready = async () =>
			(await fetch(`http://${node.address}/readyz/state`)).status;
		expect(await ready()).toBe(200);
		await raise();
		expect(await ready()).toBe(503);
		expect((await call("GetStatus")).body.alarms).toMatchObject([
			{ ...about, index: "1024", message: "its state differs" },
		]);
		expect((await call("ClearAlarm", about)).status).toBe(200);
		expect(await ready()).toBe(200);
	});

	it("about a log that went back ends only when the node no longer votes with it (P31)", async () => {
		const alarm = { kind: "log-went-back", node: "n2" };
		await raise(alarm);
		const { body } = await call("ClearAlarm", alarm);
		expect(body).toMatchObject({
			code: "failed_precondition",
			message: expect.stringContaining("raftctl reset-node n2"),
		});
		const { raft } = node.replica;
		const configuration = {
			...raft.configuration,
			...{ voters: ["n1", "n3"], learners: ["n2"] },
		};
		node.replica.raft = { ...raft, configuration };
		expect((await call("ClearAlarm", alarm)).status).toBe(200);
	});

	it("that does not stand, or of no known kind, cannot be cleared", async () => {
		expect((await call("ClearAlarm", about)).body).toMatchObject({
			code: "not_found",
			message: "there is no alarm state-differs about n1",
		});
		const { body } = await call("ClearAlarm", { ...about, kind: "smoke" });
		expect(body.message).toContain('kind is "smoke"; there are state-differs');
	});
});
