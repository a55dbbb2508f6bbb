import type {
	AlarmStatus,
	NodeStatus,
	ScheduledSnapshot,
	SnapshotSchedule,
} from "../cluster/engine.js";
import type { ClusterFacts } from "../cluster/facts.js";
import { commandFor, type OperationContext } from "./context.js";
import { liveLock } from "./lock-status.js";
import { type OperationView, viewOf } from "./operations.js";

/** What the cluster itself remembers for its operators, as status shows it. */
export interface KeptByCluster {
	/** Null when none is unfinished, or nobody answers. */
	readonly operation: UnfinishedReport | null;
	/** Null when nobody answers. */
	readonly snapshots: ScheduleReport | null;
	readonly writeLevel: NodeStatus["writeLevel"];
	readonly alarms: readonly AlarmStatus[];
}

interface UnfinishedReport {
	readonly id: string;
	/** As it was typed; null for one of a newer raftctl. */
	readonly text: string | null;
	/** killed: nobody has it in hand. */
	readonly state: OperationView["state"];
	/** user@host:pid of the last attempt. */
	readonly by: string | null;
	readonly step: string | null;
	readonly pauseRequested: boolean;
	/** Killed, it is closed by the next operation: nothing of it has to be taken up. */
	readonly lapses: boolean;
	readonly beganAtMs: number;
	readonly updatedAtMs: number;
	/** Its record is on the hosts: it began without a quorum. Absent for what the cluster itself keeps. */
	readonly keptBy?: "hosts";
	/** Commands that go on from here, one of them enough; empty while somebody has it in hand. */
	readonly next: readonly string[];
}

interface ScheduleReport {
	/** Null when the cluster takes none by itself. */
	readonly schedule: SnapshotSchedule | null;
	readonly last: ScheduledSnapshot | null;
	/** Of the last one that went well; null when none has. */
	readonly ageMs: number | null;
	/** For how long none has gone well: since the last one, or since it was set; null when that is not known. */
	readonly waitedMs: number | null;
	/** A whole interval late. */
	readonly overdue: boolean;
}

/**
 * By the word of `speaker`: the leader, or without one whoever answers. What is unfinished on the hosts comes first: it is
 * to be ended before anything else.
 */
export function keptByCluster(
	context: OperationContext,
	facts: ClusterFacts,
	{
		speaker,
		onHosts,
		setAtMs,
	}: {
		readonly speaker: NodeStatus | null;
		readonly onHosts: OperationView | null;
		/** When the schedule was set of which no snapshot has gone well yet; null when that is not known. */
		readonly setAtMs: number | null;
	},
): KeptByCluster {
	const nowMs = context.clock.unixMs();
	const unfinished = onHosts ?? (speaker && unfinishedView(speaker, nowMs));
	return {
		operation: unfinished && unfinishedReport(context, unfinished),
		snapshots: speaker && scheduleReport(speaker, { nowMs, setAtMs }),
		writeLevel: speaker?.writeLevel ?? null,
		alarms: alarmsOf(facts),
	};
}

/** What of it is not as it should be. A paused operation is: somebody wished so. */
export function keptProblems({
	operation,
	snapshots,
	alarms,
}: KeptByCluster): readonly string[] {
	return [
		...alarms.map(
			({ kind, node, message }) => `alarm ${kind} about ${node}: ${message}`,
		),
		...operationProblems(operation),
		...snapshotProblems(snapshots),
	];
}

function unfinishedView(
	{ operation, lock }: NodeStatus,
	nowMs: number,
): OperationView | null {
	return operation && viewOf(operation, liveLock(lock, nowMs));
}

function unfinishedReport(
	context: OperationContext,
	{ record, ...view }: OperationView,
): UnfinishedReport {
	const { id, state, pauseRequested, beganAtMs, updatedAtMs, keptBy } = view;
	const commands = ["operation resume", "operation abort"];
	return {
		...{ id, text: record?.text ?? null, state },
		by: record?.attempts.at(-1)?.holder ?? null,
		step: record?.step ?? null,
		...{ pauseRequested, lapses: record?.lapses === true },
		...{ beganAtMs, updatedAtMs },
		...(keptBy === undefined ? {} : { keptBy }),
		next:
			state === "running"
				? []
				: commands.map((words) => commandFor(context, words)),
	};
}

function operationProblems(
	operation: UnfinishedReport | null,
): readonly string[] {
	if (operation === null) return [];
	const { id, text, state, step, lapses } = operation;
	if (lapses && state === "killed") return [];
	if (state !== "killed" && state !== "stopped") return [];
	const at = step === null ? "" : ` at ${step}`;
	return [`"${text ?? id}" is not finished: it was ${state}${at}`];
}

function scheduleReport(
	{ snapshotSchedule: schedule, scheduledSnapshot: last }: NodeStatus,
	{
		nowMs,
		setAtMs,
	}: { readonly nowMs: number; readonly setAtMs: number | null },
): ScheduleReport {
	const succeededAtMs = last?.succeededAtMs ?? null;
	const ageMs = succeededAtMs === null ? null : nowMs - succeededAtMs;
	const sinceSetMs = setAtMs === null ? null : nowMs - setAtMs;
	const waitedMs = ageMs ?? sinceSetMs;
	return {
		...{ schedule, last, ageMs, waitedMs },
		overdue:
			schedule !== null &&
			waitedMs !== null &&
			waitedMs > 2 * schedule.intervalMs,
	};
}

/** Backups that quietly stop are found when they are needed: they make a cluster unhealthy. */
function snapshotProblems(snapshots: ScheduleReport | null): readonly string[] {
	if (snapshots === null || snapshots.schedule === null) return [];
	const { schedule, last, waitedMs, overdue } = snapshots;
	const fault = last?.fault ?? "";
	if (fault !== "") return [`the last scheduled snapshot failed: ${fault}`];
	if (!overdue || waitedMs === null) return [];
	return [
		`no scheduled snapshot has gone well for ${lengthOf(waitedMs)}; one is due every ${lengthOf(schedule.intervalMs)}`,
	];
}

/** Known to all; whoever answers tells them, each once. */
function alarmsOf({ nodes }: ClusterFacts): readonly AlarmStatus[] {
	const alarms = nodes.flatMap(({ status }) => status?.alarms ?? []);
	const keys = alarms.map((alarm) => JSON.stringify(alarm));
	return alarms.filter((_, position) => {
		return keys.indexOf(keys[position] ?? "") === position;
	});
}

function lengthOf(ms: number): string {
	if (ms >= 7_200_000) return `${Math.floor(ms / 3_600_000)} h`;
	if (ms >= 120_000) return `${Math.floor(ms / 60_000)} min`;
	return `${Math.floor(ms / 1000)} s`;
}
