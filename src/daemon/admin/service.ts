import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
	type AdminService,
	MemberSchema,
} from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { SnapshotOutcome } from "../replica.js";
import { clearAlarm } from "./alarms.js";
import {
	requireRange,
	requireShort,
	requireText,
	requireToken,
} from "./arguments.js";
import { fencingRefusal } from "./fencing.js";
import { runLockCommand } from "./locks.js";
import { changeMembership } from "./membership.js";
import { listSnapshots } from "./snapshot-list.js";
import {
	drainMessage,
	lockMessage,
	memberMessage,
	statusOf,
} from "./status.js";
import type { AdminSubject } from "./subject.js";
import { transfer } from "./transfer.js";

/** Every method of raftctl.admin.v1.AdminService, for this node. */
export function adminService(
	subject: AdminSubject,
): ServiceImpl<typeof AdminService> {
	const { replica, draining } = subject;
	const lock = lockMethods(subject);
	return {
		getStatus: () => statusOf(subject),
		getReadIndex: (request) => readIndex(subject, request.timeoutMs),
		drain(request) {
			requireFencing(subject, request.fencingToken);
			const { phase } = draining.renew({
				leaseMs: requireRange("lease_ms", request.leaseMs, leaseRangeMs),
				close: request.close,
				closeOverMs: requireRange(
					"close_over_ms",
					request.closeOverMs,
					closeOverRangeMs,
				),
			});
			if (phase === "stopping") throw stopping();
			return { drain: drainMessage(subject) };
		},
		undrain(request) {
			requireFencing(subject, request.fencingToken);
			if (draining.end().phase === "stopping") throw stopping();
			return {};
		},
		async transferLeadership(request) {
			await requireLeading(subject, request.fencingToken);
			return await transfer(subject, request.target);
		},
		async changeMembership(request) {
			await requireLeading(subject, request.fencingToken);
			return await changeMembership(replica, request);
		},
		takeSnapshot: () => takeSnapshot(subject),
		listSnapshots: () => listSnapshots(subject.snapshots),
		async setWriteLevel(request) {
			await requireLeading(subject, request.fencingToken);
			return await setWriteLevel(subject, request.level);
		},
		async clearAlarm(request) {
			requireFencing(subject, request.fencingToken);
			return await clearAlarm(replica, request);
		},
		...lock,
	};

	function stopping(): ConnectError {
		return new ConnectError(
			`${replica.status().raft.id} is stopping`,
			Code.FailedPrecondition,
		);
	}
}

/** A lease that nobody can renew in time, or that outlives its operator for long, is a mistake. */
const leaseRangeMs = [100, 600_000] as const;
const closeOverRangeMs = [0, 600_000] as const;
const lockTtlRangeMs = [1_000, 3_600_000] as const;
const readIndexRangeMs = [1, 60_000] as const;
const readIndexDefaultMs = 5_000;
const applyPollMs = 5;
const writeLevelRange = [1, 255] as const;

function lockMethods({ replica }: AdminSubject) {
	return {
		acquireLock: async (
			request: Parameters<ServiceImpl<typeof AdminService>["acquireLock"]>[0],
		) => ({
			lock: lockMessage(
				await runLockCommand(replica, {
					type: "acquire-lock",
					holder: requireText("holder", request.holder),
					host: requireText("host", request.host),
					nonce: requireShort("nonce", request.nonce),
					operation: requireText("operation", request.operation),
					ttlMs: requireRange("ttl_ms", request.ttlMs, lockTtlRangeMs),
					nowMs: Date.now(),
				}),
			),
		}),
		renewLock: async (
			request: Parameters<ServiceImpl<typeof AdminService>["renewLock"]>[0],
		) => ({
			lock: lockMessage(
				await runLockCommand(replica, {
					type: "renew-lock",
					fencingToken: requireToken(request.fencingToken),
					ttlMs: requireRange("ttl_ms", request.ttlMs, lockTtlRangeMs),
					step: requireShort("step", request.step),
					nowMs: Date.now(),
				}),
			),
		}),
		releaseLock: async (
			request: Parameters<ServiceImpl<typeof AdminService>["releaseLock"]>[0],
		) => {
			await runLockCommand(replica, {
				type: "release-lock",
				fencingToken: requireToken(request.fencingToken),
				nowMs: Date.now(),
			});
			return {};
		},
	};
}

async function takeSnapshot({ replica }: AdminSubject) {
	const outcome = await new Promise<SnapshotOutcome>((resolve) =>
		replica.takeSnapshot(resolve),
	);
	if (outcome.kind === "taken") return { index: BigInt(outcome.index) };
	throw new ConnectError(
		`${replica.status().raft.id} took no snapshot: ${outcome.message}`,
		Code.FailedPrecondition,
	);
}

async function setWriteLevel({ replica }: AdminSubject, level: number) {
	const refusal = await new Promise<string | null>((resolve) =>
		replica.setWriteLevel(
			requireRange("level", level, writeLevelRange),
			resolve,
		),
	);
	if (refusal === null) return {};
	throw new ConnectError(
		`the write level was not raised to ${level}: ${refusal}`,
		Code.FailedPrecondition,
	);
}

async function readIndex({ replica }: AdminSubject, requestedMs: number) {
	const timeoutMs = requireRange(
		"timeout_ms",
		requestedMs === 0 ? readIndexDefaultMs : requestedMs,
		readIndexRangeMs,
	);
	const index = await new Promise<number | null>((resolve) =>
		replica.readIndex(timeoutMs, resolve),
	);
	const { raft } = replica.status();
	if (index === null) {
		throw new ConnectError(
			`no quorum confirmed the commit index within ${timeoutMs} ms (${raft.role} in term ${raft.term}, leader ${raft.leader ?? "unknown"})`,
			Code.Unavailable,
		);
	}
	return {
		index: BigInt(index),
		leaderId: raft.leader ?? "",
		term: BigInt(raft.term),
	};
}

/**
 * This node leads, and by all that the cluster had committed when the call came in, the caller may act: a new leader
 * may not have executed yet what took the lock from it.
 */
async function requireLeading(
	subject: AdminSubject,
	token: bigint,
): Promise<void> {
	requireLeader(subject);
	const { replica } = subject;
	const { index } = await readIndex(subject, 0);
	const deadlineMs = performance.now() + readIndexDefaultMs;
	while (replica.status().applied < Number(index)) {
		if (performance.now() >= deadlineMs)
			throw new ConnectError(
				`${replica.status().raft.id} has not executed yet what is committed; nothing was done`,
				Code.Unavailable,
			);
		await new Promise((resolve) => setTimeout(resolve, applyPollMs));
	}
	requireFencing(subject, token);
	requireLeader(subject);
}

function requireFencing({ replica }: AdminSubject, token: bigint): void {
	const refusal = fencingRefusal(
		requireToken(token),
		replica.controlState(),
		Date.now(),
	);
	if (refusal !== null)
		throw new ConnectError(refusal, Code.FailedPrecondition);
}

function requireLeader({ replica }: AdminSubject): void {
	const { raft } = replica.status();
	if (raft.role === "leader") return;
	if (raft.leader === null) {
		throw new ConnectError(
			`${raft.id} does not lead and knows no leader now`,
			Code.Unavailable,
		);
	}
	const admin = raft.configuration.addresses[raft.leader]?.admin;
	throw new ConnectError(
		`${raft.id} does not lead; ask ${raft.leader} at ${admin}`,
		Code.FailedPrecondition,
		undefined,
		[
			{
				desc: MemberSchema,
				value: memberMessage(raft.configuration, raft.leader),
			},
		],
	);
}
