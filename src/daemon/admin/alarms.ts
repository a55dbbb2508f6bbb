import { Code, ConnectError } from "@connectrpc/connect";
import { type AlarmKind, alarmKinds } from "../../machines/control.js";
import type { ClearAlarmRequest } from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { Replica } from "../replica.js";
import { requireText, requireToken } from "./arguments.js";
import { runFenced } from "./control-call.js";

/**
 * Ends an alarm that somebody has seen to. Throws ConnectError NOT_FOUND when it does not stand, FAILED_PRECONDITION
 * when another operation has begun.
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

function stands(replica: Replica, kind: AlarmKind, node: string): boolean {
	return [...replica.controlState().alarms.values()].some(
		(alarm) => alarm.kind === kind && alarm.node === node,
	);
}
