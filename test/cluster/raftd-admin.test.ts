import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeRef } from "../../src/cluster/engine.js";
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
