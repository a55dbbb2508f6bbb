import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
	type AdminService,
	MemberSchema,
} from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { SnapshotOutcome } from "../replica.js";
import { clearAlarm } from "./alarms.js";
import { requireRange, requireToken } from "./arguments.js";
import { reloadCertificates } from "./certificates.js";
import { fencingRefusal } from "./fencing.js";
import { journalMethods } from "./journal.js";
import { lockMethods } from "./locks.js";
import { changeMembership } from "./membership.js";
import { readIndex, requireCurrent } from "./reads.js";
import { listSnapshots } from "./snapshot-list.js";
import { setSnapshotSchedule } from "./snapshot-schedule.js";
import { drainMessage, memberMessage, statusOf } from "./status.js";
import type { AdminSubject } from "./subject.js";
import { transfer } from "./transfer.js";

/** Every method of raftctl.admin.v1.AdminService, for this node. */
export function adminService(
	subject: AdminSubject,
): ServiceImpl<typeof AdminService> {
	const { replica, draining } = subject;
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
		reloadCertificates: () => reloadCertificates(subject),
		setSnapshotSchedule: (request) => setSnapshotSchedule(replica, request),
		async clearAlarm(request) {
			await requireCurrent(subject);
			requireFencing(subject, request.fencingToken);
			return await clearAlarm(replica, request);
		},
		...lockMethods(replica),
		...journalMethods(subject),
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
const writeLevelRange = [1, 255] as const;

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

/**
 * This node leads, and by all that the cluster had committed when the call came in, the caller may act: a new leader
 * may not have executed yet what took the lock from it.
 */
async function requireLeading(
	subject: AdminSubject,
	token: bigint,
): Promise<void> {
	requireLeader(subject);
	await requireCurrent(subject);
	requireFencing(subject, token);
	requireLeader(subject);
}

function requireFencing({ replica }: AdminSubject, token: bigint): void {
	const refusal = fencingRefusal(
		requireToken(token),
		replica.controlState(),
		replica.toldMs(),
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
