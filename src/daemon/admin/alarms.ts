import { Code, ConnectError } from "@connectrpc/connect";
import { type AlarmKind, alarmKinds } from "../../machines/control.js";
import { isVoter } from "../../raft/configurations.js";
import type { ClearAlarmRequest } from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { Replica } from "../replica.js";
import { requireText, requireToken } from "./arguments.js";
import { runFenced } from "./control-call.js";

/**
 * Ends an alarm that somebody has seen to. Throws ConnectError NOT_FOUND when it does not stand, FAILED_PRECONDITION
 * when another operation has begun, or when the node's data must leave the cluster first.
 */
export async function clearAlarm(
	replica: Replica,
	request: ClearAlarmRequest,
): Promise<Record<string, never>> {
	const kind = alarmKinds.find((one) => one === request.kind);
	if (kind === undefined)
		throw new ConnectError(
			`kind is "${request.kind}"; there are ${alarmKinds.join(", ")}`,
			Code.InvalidArgument,
		);
	const node = requireText("node", request.node);
	if (!stands(replica, kind, node))
		throw new ConnectError(
			`there is no alarm ${kind} about ${node}`,
			Code.NotFound,
		);
	const tooEarly = stillVotes(replica, kind, node);
	if (tooEarly !== null)
		throw new ConnectError(tooEarly, Code.FailedPrecondition);
	await runFenced(
		replica,
		{
			...{ type: "clear-alarm", kind, node, nowMs: Date.now() },
			fencingToken: requireToken(request.fencingToken),
		},
		"the alarm",
	);
	return {};
}

/**
 * Cleared, the alarm would let a voter count again that has forgotten what it acknowledged (P31). One that was removed
 * and added anew is a learner first, and needs it cleared.
 */
function stillVotes(
	replica: Replica,
	kind: AlarmKind,
	node: string,
): string | null {
	const { configuration } = replica.status().raft;
	return kind === "log-went-back" && isVoter(configuration, node)
		? `${node} still votes with the log that went back: remove it first and add it anew (raftctl reset-node ${node} does, and ends the alarm)`
		: null;
}

function stands(replica: Replica, kind: AlarmKind, node: string): boolean {
	return [...replica.controlState().alarms.values()].some(
		(alarm) => alarm.kind === kind && alarm.node === node,
	);
}
