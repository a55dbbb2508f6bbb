import type {
	ListOperationsResponseJson,
	ListSnapshotsResponseJson,
	TakeSnapshotResponseJson,
	WriteOperationResponseJson,
} from "../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { Ask } from "./admin-ask.js";
import type { AdminDoor } from "./admin-door.js";
import { answerReader } from "./answer-reader.js";
import type { Engine } from "./engine.js";
import { downloadSnapshot } from "./snapshot-download.js";
import { decodeOperation, decodeSnapshotSummary } from "./stored-status.js";

/** The journal, through any node. */
export function journalCalls(
	ask: Ask,
): Pick<Engine, "writeOperation" | "pauseOperation" | "operations"> {
	return {
		async writeOperation(node, { clearPause, ...request }, options) {
			const answer = await ask<WriteOperationResponseJson>(
				node,
				"WriteOperation",
				{
					...request,
					fencingToken: String(request.fencingToken),
					...(clearPause && { clearPause }),
				},
				options,
			);
			return decodeOperation(node, answer.operation);
		},
		async pauseOperation(node, id, options) {
			await ask(node, "PauseOperation", { id }, options);
		},
		async operations(node, options) {
			const answer = await ask<ListOperationsResponseJson>(
				node,
				"ListOperations",
				{},
				options,
			);
			return answerReader(node)
				.list("operations", answer.operations)
				.map((operation) => decodeOperation(node, operation));
		},
	};
}

type SnapshotCalls = Pick<
	Engine,
	"takeSnapshot" | "snapshots" | "readSnapshot" | "setSnapshotSchedule"
>;

/** Snapshots of the node that is asked, and the schedule of the cluster. */
export function snapshotCalls(ask: Ask, door: AdminDoor): SnapshotCalls {
	return {
		async takeSnapshot(node, options) {
			const answer = await ask<TakeSnapshotResponseJson>(
				node,
				"TakeSnapshot",
				{},
				options,
			);
			return { index: answerReader(node).integer("index", answer.index) };
		},
		async snapshots(node, options) {
			const answer = await ask<ListSnapshotsResponseJson>(
				node,
				"ListSnapshots",
				{},
				options,
			);
			const read = answerReader(node);
			return read
				.list("snapshots", answer.snapshots)
				.map((snapshot) => decodeSnapshotSummary(read, snapshot));
		},
		readSnapshot: (node, wish, options) =>
			downloadSnapshot(door, { node, wish, options }),
		async setSnapshotSchedule(node, { schedule, fencingToken }, options) {
			const { s3, intervalMs, ...rest } = schedule ?? {};
			const wish =
				schedule === null
					? {}
					: {
							schedule: {
								...rest,
								intervalMs: String(intervalMs),
								...(s3 ? { s3 } : {}),
							},
						};
			await ask(
				node,
				"SetSnapshotSchedule",
				{ ...wish, fencingToken: String(fencingToken) },
				options,
			);
		},
	};
}
