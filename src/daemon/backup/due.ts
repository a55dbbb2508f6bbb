import type {
	ScheduledSnapshot,
	SnapshotSchedule,
} from "../../machines/control.js";

/** After an attempt failed, the next one comes after a tenth of the interval, and never sooner than this. */
export const minRetryMs = 10_000;

/**
 * Whether the cluster owes itself a snapshot. Times are of the clocks of several leaders, which differ: one that lies
 * further in the future than what it bounds is believed no longer than one in the past.
 */
export function isDue(
	schedule: SnapshotSchedule,
	last: ScheduledSnapshot | null,
	nowMs: number,
): boolean {
	if (last === null) return true;
	const { succeededAtMs, attemptedAtMs, fault } = last;
	const { intervalMs } = schedule;
	const isOver = (sinceMs: number, spanMs: number) =>
		Math.abs(nowMs - sinceMs) >= spanMs;
	if (succeededAtMs !== null && !isOver(succeededAtMs, intervalMs))
		return false;
	return fault === "" || isOver(attemptedAtMs, retryMs(intervalMs));
}

export function retryMs(intervalMs: number): number {
	return Math.max(minRetryMs, intervalMs / 10);
}
