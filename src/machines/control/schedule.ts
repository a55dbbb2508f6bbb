import type { ScheduleCommand } from "./commands.js";
import { fence, type LockRefusal, type LockState } from "./lock.js";

/** Which snapshots the cluster takes by itself, and where copies of them go. */
export interface SnapshotSchedule {
	readonly intervalMs: number;
	/** How many copies stay in the directory. */
	readonly keep: number;
	/** Absolute; on the node that leads. */
	readonly directory: string;
	/** Run after each copy: program and arguments; empty for none. */
	readonly command: readonly string[];
	readonly s3: S3Target | null;
}

export interface S3Target {
	readonly endpoint: string;
	readonly bucket: string;
	readonly prefix: string;
	readonly region: string;
}

/** How the schedule went last. All but the last two fields are of the last one that went well. */
export interface ScheduledSnapshot {
	/** Milliseconds since the Unix epoch; null when none has gone well yet. */
	readonly succeededAtMs: number | null;
	readonly index: number;
	readonly node: string;
	readonly file: string;
	readonly bytes: number;
	readonly attemptedAtMs: number;
	/** Of the last attempt; empty when it went well. */
	readonly fault: string;
}

/** The parts of the control state that the schedule's commands read and change. */
export interface ScheduleState extends LockState {
	snapshotSchedule: SnapshotSchedule | null;
	scheduledSnapshot: ScheduledSnapshot | null;
}

/** Null when it was done. older: a later snapshot is recorded already. */
export type ScheduleRefusal = LockRefusal | "older";

export function executeSchedule(
	state: ScheduleState,
	command: ScheduleCommand,
): ScheduleRefusal {
	if (command.type === "set-snapshot-schedule") {
		const refusal = fence(state, command.fencingToken);
		if (refusal !== null) return refusal;
		state.snapshotSchedule =
			command.schedule === null ? null : scheduleFields(command.schedule);
		return null;
	}
	// A deposed leader may end its copy late: by the clocks it cannot be told, by the index it can.
	if (command.index < (state.scheduledSnapshot?.index ?? 0)) return "older";
	state.scheduledSnapshot = scheduledFields(command);
	return null;
}

/** Its fields alone, in the one order in which they are written. */
export function scheduleFields(schedule: SnapshotSchedule): SnapshotSchedule {
	const { intervalMs, keep, directory, command } = schedule;
	const s3 = schedule.s3 === null ? null : s3Fields(schedule.s3);
	return { intervalMs, keep, directory, command, s3 };
}

function s3Fields({ endpoint, bucket, prefix, region }: S3Target): S3Target {
	return { endpoint, bucket, prefix, region };
}

/** The same of how it went. */
export function scheduledFields(last: ScheduledSnapshot): ScheduledSnapshot {
	const { succeededAtMs, index, node, file, bytes } = last;
	const { attemptedAtMs, fault } = last;
	return {
		...{ succeededAtMs, index, node, file, bytes },
		...{ attemptedAtMs, fault },
	};
}
