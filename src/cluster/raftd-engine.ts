import { type ErrorKind, OperatorError } from "../errors.js";
import type {
	AcquireLockResponseJson,
	DrainResponseJson,
	GetReadIndexResponseJson,
	GetStatusResponseJson,
	RenewLockResponseJson,
	TransferLeadershipResponseJson,
} from "../wire/gen/raftctl/admin/v1/admin_pb.js";
import {
	type AdminCaller,
	type AdminFailure,
	createAdminCaller,
} from "./admin-call.js";
import type {
	CallOptions,
	Engine,
	LockStatus,
	NodeRef,
	NodeStatus,
} from "./engine.js";
import {
	decodeDrain,
	decodeInteger,
	decodeLock,
	decodeNodeStatus,
} from "./node-status.js";

/** raftd over its admin port: JSON on plain node:http, so that a command starts without loading an RPC library. */
export function createRaftdEngine(
	caller: AdminCaller = createAdminCaller(),
): Engine {
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
		...lockCalls(ask),
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

type Ask = <Answer extends object>(
	node: NodeRef,
	method: string,
	request: object,
	options: CallOptions,
) => Promise<Answer>;

function createAsk(caller: AdminCaller): Ask {
	return async <Answer extends object>(
		node: NodeRef,
		method: string,
		request: object,
		options: CallOptions,
	) => {
		const outcome = await caller.call(node, method, request, options);
		if (outcome.ok) return outcome.body as Answer;
		throw refusal(node, method, outcome.failure);
	};
}

/** Connect's codes in the operator's terms. Codes not named here are a defect, of raftd or of raftctl. */
const kinds: Readonly<Record<string, ErrorKind>> = {
	aborted: "locked",
	failed_precondition: "refused",
	invalid_argument: "refused",
	resource_exhausted: "unreachable",
	unavailable: "unreachable",
	deadline_exceeded: "timeout",
	canceled: "timeout",
	foreign: "unreachable",
	unauthenticated: "unreachable",
	permission_denied: "unreachable",
};

function refusal(
	node: NodeRef,
	method: string,
	{ code, message }: AdminFailure,
): OperatorError {
	return new OperatorError(
		kinds[code] ?? "unexpected",
		`${node.id}: ${message}`,
		{ node: node.id, state: `${method} at ${node.admin} answered ${code}` },
	);
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
