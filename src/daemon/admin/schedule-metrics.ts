import type { ControlState } from "../../machines/control.js";
import { type Family, plain } from "./exposition.js";

/** How the snapshot schedule goes: the same on every node, as it is told in the log. */
// biome-ignore format: one metric a line
export function scheduleFamilies(
	{ snapshotSchedule, scheduledSnapshot }: Readonly<ControlState>,
	wallMs: number,
): Family[] {
	const { succeededAtMs = null, index = 0, bytes = 0, fault = "" } = scheduledSnapshot ?? {};
	return plain([
		["raftd_snapshot_schedule_interval_seconds", "Between two snapshots of the schedule; 0 without a schedule.", (snapshotSchedule?.intervalMs ?? 0) / 1000],
		["raftd_scheduled_snapshot_timestamp_seconds", "When the last one was taken that went well, since the Unix epoch; 0 for none.", (succeededAtMs ?? 0) / 1000],
		["raftd_scheduled_snapshot_age_seconds", "The time since then; -1 for none.", succeededAtMs === null ? -1 : Math.max(0, wallMs - succeededAtMs) / 1000],
		["raftd_scheduled_snapshot_index", "Its index; 0 for none.", index],
		["raftd_scheduled_snapshot_bytes", "The size of its file; 0 for none.", bytes],
		["raftd_scheduled_snapshot_failed", "1 when the last attempt failed; the status says why.", fault === "" ? 0 : 1],
	]);
}
