import type {
	ScheduledSnapshot,
	SnapshotSchedule,
	SnapshotSummary,
} from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import { OperatorError, reasonOf } from "../../errors.js";
import {
	callOptions,
	commandFor,
	lookAtCluster,
	type OperationContext,
	refOf,
} from "../context.js";
import { throwIfEnded } from "../interruption.js";

export interface SnapshotsReport {
	readonly cluster: string;
	readonly nodes: readonly {
		readonly node: string;
		/** Why its snapshots are not known; empty when they are. */
		readonly fault: string;
		/** Newest first. */
		readonly snapshots: readonly SnapshotSummary[];
	}[];
	readonly schedule: SnapshotSchedule | null;
	readonly scheduled: ScheduledSnapshot | null;
}

/**
 * The snapshots on the disk of every node, and how the schedule fares. Throws OperatorError "unreachable" where no node
 * answers: whether there is a schedule is not known then.
 */
export async function listSnapshots(
	context: OperationContext,
): Promise<SnapshotsReport> {
	const { engine, inventory, signal } = context;
	const options = callOptions(signal);
	const [facts, nodes] = await Promise.all([
		lookAtCluster(context, signal),
		Promise.all(
			inventory.nodes.map(async (node) => {
				try {
					const snapshots = await engine.snapshots(refOf(node), options);
					return { node: node.id, fault: "", snapshots };
				} catch (error) {
					throwIfEnded(signal);
					return { node: node.id, fault: reasonOf(error), snapshots: [] };
				}
			}),
		),
	]);
	const statuses = facts.nodes.flatMap(({ status }) => status ?? []);
	if (statuses.length === 0) throw noAnswer(context, facts);
	const newest = statuses.sort((a, b) => b.appliedIndex - a.appliedIndex)[0];
	return {
		...{ cluster: inventory.name, nodes },
		schedule: newest?.snapshotSchedule ?? null,
		scheduled: newest?.scheduledSnapshot ?? null,
	};
}

function noAnswer(
	context: OperationContext,
	{ nodes }: ClusterFacts,
): OperatorError {
	return new OperatorError(
		"unreachable",
		`none of ${nodes.map(({ id }) => id).join(", ")} gives an answer`,
		{
			problems: nodes.map(({ id, fault }) => `${id} ${fault}`),
			state:
				"nothing was touched; what snapshots there are lies on the disks of the nodes",
			next: commandFor(context, "status"),
		},
	);
}
