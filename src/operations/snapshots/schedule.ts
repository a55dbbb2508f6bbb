import type { SnapshotSchedule } from "../../cluster/engine.js";
import { askAnyNode } from "../any-node.js";
import { callOptions, type OperationContext } from "../context.js";
import { withLock } from "../lock.js";

/** Which snapshots the cluster takes by itself. */
export type Schedule = SnapshotSchedule;

export interface ScheduleReport {
	readonly operation: "snapshot schedule";
	readonly cluster: string;
	/** Null: the cluster takes none by itself. */
	readonly schedule: SnapshotSchedule | null;
}

/** Tells the cluster which snapshots to take by itself, or null for none. In force once this returns. */
export async function scheduleSnapshots(
	context: OperationContext,
	{
		schedule,
		lockWaitMs,
	}: {
		readonly schedule: SnapshotSchedule | null;
		readonly lockWaitMs: number;
	},
): Promise<ScheduleReport> {
	const wish = { operation: "snapshot schedule", lockWaitMs };
	return withLock(context, wish, async ({ fencingToken, signal }) => {
		await askAnyNode(context, (node) =>
			context.engine.setSnapshotSchedule(
				node,
				{ schedule, fencingToken },
				callOptions(signal),
			),
		);
		return {
			...{ operation: "snapshot schedule", schedule },
			cluster: context.inventory.name,
		};
	});
}
