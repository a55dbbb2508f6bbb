import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
	ControlState,
	OperationLock,
	ScheduledSnapshot,
	SnapshotSchedule,
	StoredOperation,
} from "../../machines/control.js";
import type {
	GetStatusResponseSchema,
	LockSchema,
	ScheduledSnapshotSchema,
	SnapshotScheduleSchema,
	StoredOperationSchema,
} from "../../wire/gen/raftctl/admin/v1/admin_pb.js";

/** An empty message stands for no lock. */
export function lockMessage(
	lock: OperationLock | null,
): MessageInitShape<typeof LockSchema> {
	if (lock === null) return {};
	return { ...lock, fencingToken: BigInt(lock.fencingToken) };
}

/** The same for who only looks; `nowMs` is the cluster's time. */
export function shownLock(
	lock: OperationLock | null,
	nowMs: number,
): MessageInitShape<typeof LockSchema> {
	if (lock === null) return {};
	const leftMs = Math.max(0, lock.expiresAtMs - nowMs);
	return { ...lockMessage(lock), leftMs };
}

export function operationMessage(
	operation: StoredOperation,
): MessageInitShape<typeof StoredOperationSchema> {
	return { ...operation };
}

/** What the status says of operations and snapshots; what there is none of is absent. */
export function storedMessages(
	control: Readonly<ControlState>,
): Pick<
	MessageInitShape<typeof GetStatusResponseSchema>,
	"operation" | "snapshotSchedule" | "scheduledSnapshot"
> {
	const { operations, snapshotSchedule, scheduledSnapshot } = control;
	const [newest] = operations;
	return {
		...(newest?.unfinished && { operation: operationMessage(newest) }),
		...(snapshotSchedule && {
			snapshotSchedule: scheduleMessage(snapshotSchedule),
		}),
		...(scheduledSnapshot && {
			scheduledSnapshot: scheduledMessage(scheduledSnapshot),
		}),
	};
}

function scheduleMessage({
	intervalMs,
	keep,
	directory,
	command,
	s3,
}: SnapshotSchedule): MessageInitShape<typeof SnapshotScheduleSchema> {
	return {
		...{ intervalMs: BigInt(intervalMs), keep, directory },
		command: [...command],
		...(s3 && { s3 }),
	};
}

function scheduledMessage({
	succeededAtMs,
	index,
	bytes,
	...last
}: ScheduledSnapshot): MessageInitShape<typeof ScheduledSnapshotSchema> {
	return {
		...last,
		succeededAtMs: succeededAtMs ?? 0,
		index: BigInt(index),
		bytes: BigInt(bytes),
	};
}
