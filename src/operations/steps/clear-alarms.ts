import type { AlarmStatus } from "../../cluster/engine.js";
import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { askAnyNode } from "../any-node.js";
import {
	callOptions,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import type { OperationLock } from "../lock.js";
import type { Step } from "./step.js";
import { requireNoMember } from "./stop-node.js";

/**
 * Ends the alarms about a node whose data is out of the cluster: they were about that data. As long as one says that its
 * log went back, nothing that it acknowledges under this name is counted, and it could never catch up.
 */
export function clearAlarmsStep(
	context: OperationContext,
	lock: OperationLock,
	node: NodeEntry,
): Step {
	const { signal } = lock;
	const standing = async () => {
		const leader = confirmedLeader(await lookAtCluster(context, signal));
		return (leader?.alarms ?? []).filter((alarm) => alarm.node === node.id);
	};
	return {
		id: `${node.id}/alarms`,
		title: "end the alarms about its data",
		node: node.id,
		cost: "",
		isDone: async () =>
			(await standing()).length === 0 ? "none stands" : null,
		guard: () => requireNoMember(context, node, signal),
		async run() {
			const alarms = await standing();
			for (const { kind } of alarms)
				await endAlarm(context, lock, { kind, node: node.id });
			return named(alarms);
		},
	};
}

/** Ends one that stands; any node takes the call to the leader. */
export function endAlarm(
	context: OperationContext,
	{ fencingToken, signal }: OperationLock,
	alarm: Pick<AlarmStatus, "kind" | "node">,
): Promise<void> {
	return askAnyNode(context, (node) =>
		context.engine.clearAlarm(
			node,
			{ ...alarm, fencingToken },
			callOptions(signal),
		),
	);
}

function named(alarms: readonly AlarmStatus[]): string {
	return alarms.map(({ kind }) => kind).join(", ");
}
