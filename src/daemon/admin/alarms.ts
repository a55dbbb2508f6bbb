import { Code, ConnectError } from "@connectrpc/connect";
import { type AlarmKind, alarmKinds } from "../../machines/control.js";
import type { ClearAlarmRequest } from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { Replica } from "../replica.js";
import { requireText } from "./arguments.js";
import { runControl } from "./locks.js";

/** Ends an alarm that somebody has seen to. Throws ConnectError NOT_FOUND when it does not stand. */
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
	const outcome = await runControl(replica, {
		...{ type: "clear-alarm", kind, node, nowMs: Date.now() },
	});
	if (outcome.kind === "applied") return {};
	throw new ConnectError(
		outcome.kind === "rejected" || outcome.kind === "unknown"
			? outcome.message
			: "it is not known whether the alarm was cleared",
		Code.Unavailable,
	);
}

function stands(replica: Replica, kind: AlarmKind, node: string): boolean {
	return [...replica.controlState().alarms.values()].some(
		(alarm) => alarm.kind === kind && alarm.node === node,
	);
}
