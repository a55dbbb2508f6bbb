import { OperatorError } from "../errors.js";
import type {
	AcquireLockResponseJson,
	ChangeMembershipResponseJson,
	DrainResponseJson,
	GetReadIndexResponseJson,
	GetStatusResponseJson,
	ReloadCertificatesResponseJson,
	RenewLockResponseJson,
	TransferLeadershipResponseJson,
} from "../wire/gen/raftctl/admin/v1/admin_pb.js";
import { type Ask, createAsk } from "./admin-ask.js";
import { createAdminCaller } from "./admin-call.js";
import { adminDoor, type OperatorCredentials } from "./admin-door.js";
import { ChangeRefusedError } from "./change-refused.js";
import type {
	CallOptions,
	Engine,
	LockStatus,
	MembershipChange,
	NodeRef,
	NodeStatus,
} from "./engine.js";
import {
	decodeCertificates,
	decodeDrain,
	decodeInteger,
	decodeLock,
	decodeNodeStatus,
} from "./node-status.js";
import { journalCalls, snapshotCalls } from "./raftd-journal.js";

/** raftd over its admin port: JSON on Node's own HTTP, so that a command starts without loading an RPC library. */
export function createRaftdEngine(
	credentials: OperatorCredentials | null = null,
): Engine {
	const door = adminDoor(credentials);
	const caller = createAdminCaller(door);
	const ask = createAsk(caller);
	const status = async (node: NodeRef, options: CallOptions) =>
		decodeNodeStatus(
			node,
			await ask<GetStatusResponseJson>(node, "GetStatus", {}, options),
		);
	return {
		status,
		async readIndex(node, options) {
			const answer = await ask<GetReadIndexResponseJson>(
				node,
				"GetReadIndex",
				// The node gives up a little earlier, so that its own word arrives instead of silence.
				{ timeoutMs: Math.ceil(options.timeoutMs * 0.8) },
				options,
			);
			return {
				index: decodeInteger(node, "index", answer.index),
				leader: answer.leaderId ?? "",
				term: decodeInteger(node, "term", answer.term),
			};
		},
		async drain(node, request, options) {
			const answer = await ask<DrainResponseJson>(
				node,
				"Drain",
				{ ...request, fencingToken: String(request.fencingToken) },
				options,
			);
			return decodeDrain(node, answer.drain);
		},
		async undrain(node, fencingToken, options) {
			await ask(
				node,
				"Undrain",
				{ fencingToken: String(fencingToken) },
				options,
			);
		},
		async transferLeadership(node, target, fencingToken, options) {
			const leader = leaderOf(node, await status(node, options));
			const answer = await ask<TransferLeadershipResponseJson>(
				leader,
				"TransferLeadership",
				{ target, fencingToken: String(fencingToken) },
				options,
			);
			return {
				leader: answer.leaderId || target,
				durationMs: Number(answer.durationMs ?? 0),
			};
		},
		async changeMembership(node, request, options) {
			const leader = leaderOf(node, await status(node, options));
			const { index } = await ask<ChangeMembershipResponseJson>(
				leader,
				"ChangeMembership",
				{
					changes: request.changes.map(changeMessage),
					expectedIndex: String(request.expectedIndex),
					waived: request.waived,
					fencingToken: String(request.fencingToken),
				},
				options,
			).catch((error: unknown) => {
				throw mayComeAbout(error);
			});
			return { index: decodeInteger(leader, "index", index) };
		},
		async setWriteLevel(node, { level, fencingToken }, options) {
			const request = { level, fencingToken: String(fencingToken) };
			await ask(node, "SetWriteLevel", request, options);
		},
		async clearAlarm(node, alarm, options) {
			const fencingToken = String(alarm.fencingToken);
			await ask(node, "ClearAlarm", { ...alarm, fencingToken }, options);
		},
		...lockCalls(ask),
		...journalCalls(ask),
		...snapshotCalls(ask, door),
		async reloadCertificates(node, options) {
			const answer = await ask<ReloadCertificatesResponseJson>(
				node,
				"ReloadCertificates",
				{},
				options,
			);
			const certificates = decodeCertificates(node, answer.certificates);
			if (certificates !== null) return certificates;
			throw new OperatorError(
				"unexpected",
				`${node.id} does not say which certificates it uses`,
				{ node: node.id },
			);
		},
		close: () => caller.close(),
	};
}

function lockCalls(
	ask: Ask,
): Pick<Engine, "acquireLock" | "renewLock" | "releaseLock"> {
	return {
		async acquireLock(node, request, options) {
			const answer = await ask<AcquireLockResponseJson>(
				node,
				"AcquireLock",
				request,
				options,
			);
			return granted(node, decodeLock(node, answer.lock));
		},
		async renewLock(node, renewal, options) {
			const answer = await ask<RenewLockResponseJson>(
				node,
				"RenewLock",
				{ ...renewal, fencingToken: String(renewal.fencingToken) },
				options,
			);
			return granted(node, decodeLock(node, answer.lock));
		},
		async releaseLock(node, fencingToken, options) {
			await ask(
				node,
				"ReleaseLock",
				{ fencingToken: String(fencingToken) },
				options,
			);
		},
	};
}

function changeMessage(change: MembershipChange): object {
	const { id, type } = change;
	if (change.type !== "add" && change.type !== "update") return { id, type };
	return {
		...{ id, type },
		// Left out, it stays as it is.
		...(change.type === "add" ? { incarnation: change.incarnation } : {}),
		peerAddress: change.peer,
		clientAddress: change.client,
		adminAddress: change.admin,
	};
}

/**
 * Of a change that was asked for: only a refusal, or that nobody listens, says for certain that there will be none. The
 * leader's ABORTED means that it does not know, and silence after the request went out is no better.
 */
function mayComeAbout(error: unknown): unknown {
	if (!(error instanceof OperatorError)) return error;
	if (error instanceof ChangeRefusedError) return error;
	const isUnknown =
		error.kind === "locked" ||
		(error.kind === "unreachable" && wasCutOff(error.cause));
	if (!isUnknown) return error;
	return new OperatorError("timeout", error.message, {
		...(error.node === undefined ? {} : { node: error.node }),
		state: "the change may or may not come about",
		next: "raftctl status",
		cause: error,
	});
}

/** The node did not say that it is unavailable: nobody knows what became of the request. */
function wasCutOff(cause: unknown): boolean {
	const { code } = (cause ?? {}) as NodeJS.ErrnoException;
	return cause !== undefined && code !== "ECONNREFUSED";
}

function granted(node: NodeRef, lock: LockStatus | null): LockStatus {
	if (lock !== null) return lock;
	throw new OperatorError("unexpected", `${node.id} granted a lock to nobody`, {
		node: node.id,
	});
}

function leaderOf(node: NodeRef, status: NodeStatus): NodeRef {
	const member = status.members.find(({ id }) => id === status.leader);
	if (member === undefined)
		throw new OperatorError("unreachable", `${node.id} knows no leader`, {
			node: node.id,
			next: "raftctl status",
		});
	return member.id === node.id ? node : { id: member.id, admin: member.admin };
}
