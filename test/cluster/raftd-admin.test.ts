import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	ChangeRefusedError,
	UnfinishedOperationError,
} from "../../src/cluster/change-refused.js";
import type {
	MembershipRequest,
	NodeRef,
	SnapshotSchedule,
} from "../../src/cluster/engine.js";
import { createRaftdEngine } from "../../src/cluster/raftd-engine.js";
import { OperatorError } from "../../src/errors.js";
import { type AdminNode, startAdminNode } from "../daemon/admin/admin-node.js";

let admin: AdminNode;
let node: NodeRef;
const engine = createRaftdEngine();
const options = { timeoutMs: 2_000 };
const ann = {
	holder: "ann@desk:1",
	host: "desk",
	nonce: "f00d",
	operation: "drain",
};

beforeEach(async () => {
	admin = await startAdminNode();
	node = { id: "n1", admin: admin.address };
});

afterEach(() => admin.server.close());

async function kindOf(work: Promise<unknown>): Promise<string> {
	const error = await work.catch((reason: unknown) => reason);
	expect(error).toBeInstanceOf(OperatorError);
	return (error as OperatorError).kind;
}

describe("the engine before raftd's real admin port", () => {
	it("reads the whole status", async () => {
		const status = await engine.status(node, options);
		expect(status).toMatchObject({
			nodeId: "n1",
			role: "leader",
			term: 3,
			leader: "n1",
			commitIndex: 10,
			appliedIndex: 10,
			lock: null,
			connectedPeers: ["n2", "n3"],
			leaderlessMaxMs: 80,
		});
		expect(status.members.map(({ id, role }) => `${id} ${role}`)).toEqual([
			"n1 voter",
			"n2 voter",
			"n3 voter",
		]);
		expect(status.checks.length).toBeGreaterThan(0);
	});

	it("reads a follower that was never heard", async () => {
		const { raft } = admin.replica;
		const never = {
			id: "n2",
			state: "probe",
			match: 0,
			next: 1,
			inflightMessages: 0,
			inflightBytes: 0,
			heardAgoMs: Number.POSITIVE_INFINITY,
			catchUp: {
				lagEntries: 12,
				entriesPerSecond: 0,
				remainingMs: null,
				caughtUp: false,
			},
			counted: true,
		} as const;
		admin.replica.raft = { ...raft, followers: [never] };
		const { followers } = await engine.status(node, options);
		expect(followers[0]).toMatchObject({
			match: 0,
			heardAgoMs: Number.POSITIVE_INFINITY,
		});
	});

	it("confirms a read index, and says when no quorum does", async () => {
		expect(await engine.readIndex(node, options)).toEqual({
			index: 10,
			leader: "n1",
			term: 3,
		});
		admin.replica.readIndexAnswer = null;
		expect(await kindOf(engine.readIndex(node, options))).toBe("unreachable");
	});

	it("takes, renews and releases the lock, and is refused another's", async () => {
		const request = { ...ann, ttlMs: 20_000 };
		const { fencingToken } = await engine.acquireLock(node, request, options);
		const again = engine.acquireLock(
			node,
			{ ...request, holder: "bob@ci:7" },
			options,
		);
		expect(await kindOf(again)).toBe("locked");
		const renewal = { fencingToken, ttlMs: 20_000, step: "n2/drain" };
		expect((await engine.renewLock(node, renewal, options)).step).toBe(
			"n2/drain",
		);
		expect((await engine.status(node, options)).lock).toMatchObject(ann);
		await engine.releaseLock(node, fencingToken, options);
		expect((await engine.status(node, options)).lock).toBeNull();
		const late = engine.renewLock(node, renewal, options);
		expect(await kindOf(late)).toBe("locked");
	});

	it("drains and undrains with its token, and is refused with an older one", async () => {
		const lock = await engine.acquireLock(
			node,
			{ ...ann, ttlMs: 20_000 },
			options,
		);
		const { fencingToken } = lock;
		const request = {
			leaseMs: 15_000,
			close: false,
			closeOverMs: 0,
			fencingToken,
		};
		const drain = await engine.drain(node, request, options);
		expect(drain.draining).toBe(true);
		expect(drain.leaseLeftMs).toBeGreaterThan(0);
		await engine.undrain(node, fencingToken, options);
		const { drain: after } = await engine.status(node, options);
		expect(after.draining).toBe(false);
		await engine.releaseLock(node, fencingToken, options);
		await engine.acquireLock(node, { ...ann, ttlMs: 20_000 }, options);
		expect(await kindOf(engine.drain(node, request, options))).toBe("refused");
	});

	it("hands leadership over, and says when the leader goes on", async () => {
		admin.replica.onTransfer = () => "target-lagging";
		const transfer = () => engine.transferLeadership(node, "n2", 0, options);
		expect(await kindOf(transfer())).toBe("refused");
		admin.replica.onTransfer = (target) => {
			const { raft } = admin.replica;
			admin.replica.raft = { ...raft, role: "follower", leader: target };
			return null;
		};
		expect((await transfer()).leader).toBe("n2");
	});
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
	return await work.then(
		() => null,
		(reason: unknown) => reason,
	);
}

describe("the journal through raftd's real admin port", () => {
	const begun = { id: "o1", unfinished: true, record: '{"at":"n1"}' };

	async function locked(): Promise<number> {
		const request = { ...ann, ttlMs: 20_000 };
		return (await engine.acquireLock(node, request, options)).fencingToken;
	}

	it("is written, shown by the status, listed and asked to pause", async () => {
		const fencingToken = await locked();
		const write = { ...begun, fencingToken };
		const stored = await engine.writeOperation(node, write, options);
		expect(stored).toMatchObject({ ...begun, pauseRequested: false });
		expect(stored.beganAtMs).toBeGreaterThan(0);
		await engine.pauseOperation(node, "o1", options);
		const { operation } = await engine.status(node, options);
		expect(operation).toMatchObject({ ...begun, pauseRequested: true });
		const [listed] = await engine.operations(node, options);
		expect(listed).toEqual(operation);
		const kept = await engine.writeOperation(node, write, options);
		expect(kept.pauseRequested).toBe(true);
		const anew = { ...write, clearPause: true };
		expect(
			(await engine.writeOperation(node, anew, options)).pauseRequested,
		).toBe(false);
		await engine.writeOperation(node, { ...write, unfinished: false }, options);
		expect((await engine.status(node, options)).operation).toBeNull();
		expect(await engine.operations(node, options)).toHaveLength(1);
	});

	it("names the operation that is not finished, and tells it from a lost lock", async () => {
		const fencingToken = await locked();
		await engine.writeOperation(node, { ...begun, fencingToken }, options);
		const other = { ...begun, id: "o2", fencingToken };
		const error = await failureOf(engine.writeOperation(node, other, options));
		expect(error).toBeInstanceOf(UnfinishedOperationError);
		expect(error).toMatchObject({ kind: "partial", operation: begun });
		const late = { ...begun, fencingToken: fencingToken + 7 };
		expect(
			await failureOf(engine.writeOperation(node, late, options)),
		).toMatchObject({
			kind: "locked",
			message: expect.stringContaining("ann@desk:1 on desk holds it for drain"),
		});
	});

	it("refuses to change what is finished, and to pause what is not there", async () => {
		const fencingToken = await locked();
		const last = { ...begun, unfinished: false, fencingToken };
		await engine.writeOperation(node, last, options);
		for (const refused of [
			engine.writeOperation(node, { ...last, record: "{}" }, options),
			engine.pauseOperation(node, "o1", options),
			engine.pauseOperation(node, "o7", options),
		])
			expect(await kindOf(refused)).toBe("refused");
	});

	it("is not shown where no quorum confirms it", async () => {
		admin.replica.readIndexAnswer = null;
		expect(await kindOf(engine.operations(node, options))).toBe("unreachable");
	});
});

describe("members, snapshots and alarms through raftd's real admin port", () => {
	const change: MembershipRequest = {
		changes: [
			{
				id: "n4",
				type: "add",
				...{ peer: "h:1", client: "h:2", admin: "h:3", incarnation: "i4" },
			},
			{ id: "n3", type: "remove" },
		],
		expectedIndex: 1,
		waived: ["quorum"],
		fencingToken: 0,
	};

	it("changes members as one, of the configuration that was seen", async () => {
		const { index } = await engine.changeMembership(node, change, options);
		expect(index).toBe(11);
		const address = { peer: "h:1", client: "h:2", admin: "h:3" };
		expect(admin.replica.changes).toEqual([
			{
				changes: [
					{ type: "add", id: "n4", address: { ...address, incarnation: "i4" } },
					{ type: "remove", id: "n3" },
				],
				...{ expectedIndex: 1, waived: ["quorum"] },
			},
		]);
	});

	it("says why nothing was changed, with the numbers", async () => {
		const catchUp = {
			...{ lagEntries: 900, entriesPerSecond: 12, remainingMs: null },
			caughtUp: false,
		};
		admin.replica.changeOutcome = {
			kind: "refused",
			refusal: { reason: "target-lagging", node: "n4", catchUp },
		};
		const asked = engine.changeMembership(node, change, options);
		const error = await failureOf(asked);
		expect(error).toBeInstanceOf(ChangeRefusedError);
		expect(error).toMatchObject({
			...{ kind: "refused", node: "n4" },
			refusal: { reason: "target-lagging", node: "n4", catchUp },
		});
	});

	it("does not take a change that may come about for one that will not", async () => {
		admin.replica.changeOutcome = { kind: "unknown", message: "who knows" };
		const asked = engine.changeMembership(node, change, options);
		expect(await failureOf(asked)).toMatchObject({
			...{ kind: "timeout", message: "n1: who knows" },
			state: "the change may or may not come about",
		});
		admin.replica.changeConfiguration = () => undefined;
		const silent = engine.changeMembership(node, change, { timeoutMs: 1_000 });
		expect(await kindOf(silent)).toBe("timeout");
	});

	it("takes a snapshot, or hears why not", async () => {
		expect(await engine.takeSnapshot(node, options)).toEqual({ index: 10 });
		admin.replica.snapshotOutcome = { kind: "failed", message: "full" };
		expect(await kindOf(engine.takeSnapshot(node, options))).toBe("refused");
	});

	it("sets a schedule, sees it in the status, and ends it", async () => {
		const s3 = {
			...{ endpoint: "https://s3.example:9000", bucket: "backups" },
			...{ prefix: "", region: "eu" },
		};
		const schedule: SnapshotSchedule = {
			...{ intervalMs: 3_600_000, keep: 24, directory: "/backups" },
			...{ command: ["sync-away"], s3 },
		};
		const shown = async () =>
			(await engine.status(node, options)).snapshotSchedule;
		for (const wish of [
			schedule,
			{ ...schedule, command: [], s3: null },
			null,
		]) {
			const request = { schedule: wish, fencingToken: 0 };
			await engine.setSnapshotSchedule(node, request, options);
			expect(await shown()).toEqual(wish);
		}
		await engine.acquireLock(node, { ...ann, ttlMs: 20_000 }, options);
		const fenced = engine.setSnapshotSchedule(
			node,
			{ schedule, fencingToken: 0 },
			options,
		);
		expect(await kindOf(fenced)).toBe("refused");
	});

	it("reads how the schedule went last, and what the cluster may write", async () => {
		const before = await engine.status(node, options);
		expect(before).toMatchObject({ scheduledSnapshot: null, writeLevel: null });
		const last = {
			...{ succeededAtMs: null, index: 0, node: "", file: "", bytes: 0 },
			...{ attemptedAtMs: 9, fault: "the disk is full" },
		};
		const command = { type: "record-scheduled-snapshot", ...last, nowMs: 9 };
		await new Promise((resolve) =>
			admin.replica.control(
				Buffer.from(JSON.stringify(command)),
				1_000,
				resolve,
			),
		);
		await new Promise((resolve) => admin.replica.setWriteLevel(2, resolve));
		expect(await engine.status(node, options)).toMatchObject({
			scheduledSnapshot: last,
			writeLevel: { level: 2, release: "scripted" },
		});
	});

	it("clears an alarm, and is told when there is none", async () => {
		const alarm = { kind: "state-differs", node: "n2", fencingToken: 0 };
		expect(await kindOf(engine.clearAlarm(node, alarm, options))).toBe(
			"refused",
		);
		const raised = {
			...{ type: "raise-alarm", kind: "state-differs", node: "n2" },
			...{ index: 1, message: "m", nowMs: 1 },
		};
		const bytes = Buffer.from(JSON.stringify(raised));
		await new Promise((resolve) =>
			admin.replica.control(bytes, 1_000, resolve),
		);
		await engine.clearAlarm(node, alarm, options);
		expect((await engine.status(node, options)).alarms).toEqual([]);
	});
});
