import { type Alarm, executeAlarm } from "./control/alarms.js";
import { type ControlCommand, parseControl } from "./control/commands.js";
import { executeJournal, type StoredOperation } from "./control/journal.js";
import { executeLock, type OperationLock } from "./control/lock.js";
import {
	executeSchedule,
	type ScheduledSnapshot,
	type SnapshotSchedule,
} from "./control/schedule.js";
import { SessionTable } from "./sessions.js";

export {
	type Alarm,
	type AlarmKind,
	alarmKinds,
	alarmName,
	maxAlarms,
} from "./control/alarms.js";
export { type ControlCommand, parseControl } from "./control/commands.js";
export {
	maxFinishedOperations,
	type StoredOperation,
} from "./control/journal.js";
export type { OperationLock } from "./control/lock.js";
export type {
	S3Target,
	ScheduledSnapshot,
	SnapshotSchedule,
} from "./control/schedule.js";
export { isOneLine, maxRecordBytes, scheduleLimits } from "./control/shapes.js";

/**
 * The cluster's own replicated state, beside the application's: who operates on it now and did before, what may be
 * written, what is wrong, which snapshots it takes by itself, and the clients' sessions. Commands are JSON in entries of kind control. Time enters only through the commands,
 * and never runs backwards, so that every node decides alike.
 */
export interface ControlState {
	lock: OperationLock | null;
	/** The latest time any command carried, in milliseconds since the Unix epoch. */
	nowMs: number;
	/** The newest fencing token handed out; a holder of an older one is fenced off. */
	fencingToken: number;
	/** Null until it is set for the first time. */
	writeLevel: WriteLevel | null;
	/** By `alarmName`, in the order in which they were raised. Another map when anything changed. */
	alarms: ReadonlyMap<string, Alarm>;
	/** The journal, newest first; another array when anything changed. Only the first may be unfinished. */
	operations: readonly StoredOperation[];
	/** Null when the cluster takes none by itself. */
	snapshotSchedule: SnapshotSchedule | null;
	/** How it last went; null when it never did. */
	scheduledSnapshot: ScheduledSnapshot | null;
	readonly sessions: SessionTable;
}

/** Up to which level of the entry format the cluster's commands are written; it only rises (P61). */
export interface WriteLevel {
	readonly level: number;
	/** The release that set it: a binary must be as new to read what is written. */
	readonly release: string;
}

/** What every control command's result says. */
export interface ControlOutcome {
	readonly ok: boolean;
	/**
	 * malformed: no known command. held: another holds the lock. lost: the token is no longer the lock's.
	 * too-many-sessions and too-many-alarms: there is no room for another. lower: the write level only rises.
	 * unfinished-operation: another is not finished. finished-operation: this one is. unknown-operation: there is none.
	 * older: a later snapshot of the schedule is recorded already.
	 */
	readonly reason:
		| "malformed"
		| "held"
		| "lost"
		| "too-many-sessions"
		| "too-many-alarms"
		| "lower"
		| "unfinished-operation"
		| "finished-operation"
		| "unknown-operation"
		| "older"
		| null;
}

/** The result of a command to the lock, of one that the lock fences, and of bytes that are no command. */
export interface ControlResult extends ControlOutcome {
	readonly lock: OperationLock | null;
}

/** The result of a command to the journal: what it holds now of that operation, or the one that stands in the way. */
export interface JournalResult extends ControlResult {
	readonly operation: StoredOperation | null;
}

/** The result of `open-session`. */
export interface SessionResult extends ControlOutcome {
	readonly session: { readonly id: number; readonly ttlMs: number } | null;
}

/** The result of `set-write-level`: what the level is now. */
export interface WriteLevelResult extends ControlOutcome {
	readonly writeLevel: WriteLevel | null;
}

export function createControlState(): ControlState {
	return {
		lock: null,
		nowMs: 0,
		fencingToken: 0,
		writeLevel: null,
		alarms: new Map(),
		operations: [],
		snapshotSchedule: null,
		scheduledSnapshot: null,
		sessions: new SessionTable(),
	};
}

const encoder = new TextEncoder();

/**
 * Executes the control command in the entry at `index`; returns its result as JSON, a ControlOutcome at least. Total:
 * bytes that are no command have a result, too, and change nothing.
 */
export function applyControl(
	state: ControlState,
	data: Uint8Array,
	index: number,
): Uint8Array {
	return executeControl(state, parseControl(data), index);
}

/** The same for a command that is parsed; null for bytes that are none. */
export function executeControl(
	state: ControlState,
	command: ControlCommand | null,
	index: number,
): Uint8Array {
	return encoder.encode(JSON.stringify(resultOf(state, command, index)));
}

function resultOf(
	state: ControlState,
	command: ControlCommand | null,
	index: number,
): ControlOutcome {
	if (command === null) return withLock(state, "malformed");
	advance(state, command.nowMs);
	switch (command.type) {
		case "open-session":
			return openSession(state, command.ttlMs, index);
		case "set-write-level":
			return setWriteLevel(state, command);
		case "raise-alarm":
			return done(executeAlarm(state, command));
		case "clear-alarm":
			return withLock(state, executeAlarm(state, command));
		case "write-operation":
		case "pause-operation": {
			const { reason, operation } = executeJournal(state, command);
			return { ...withLock(state, reason), operation } as JournalResult;
		}
		case "set-snapshot-schedule":
			return withLock(state, executeSchedule(state, command));
		case "record-scheduled-snapshot":
			return done(executeSchedule(state, command));
		case "tick":
		case "compare-state":
			return done(null);
		default:
			return withLock(state, executeLock(state, command, index));
	}
}

/** Clocks of different leaders differ: what has expired once must not come back to life. */
function advance(state: ControlState, nowMs: number): void {
	if (nowMs > state.nowMs) {
		state.nowMs = nowMs;
		state.sessions.expire(nowMs);
	}
	if (state.lock !== null && state.lock.expiresAtMs <= state.nowMs)
		state.lock = null;
}

function done(reason: ControlOutcome["reason"]): ControlOutcome {
	return { ok: reason === null, reason };
}

function withLock(
	{ lock }: ControlState,
	reason: ControlOutcome["reason"],
): ControlResult {
	return { ...done(reason), lock };
}

function openSession(
	state: ControlState,
	ttlMs: number,
	index: number,
): SessionResult {
	if (!state.sessions.open(index, ttlMs, state.nowMs))
		return { ...done("too-many-sessions"), session: null };
	return { ...done(null), session: { id: index, ttlMs } };
}

/** Setting what is set already is no mistake; nothing that was written may become unreadable by going down. */
function setWriteLevel(
	state: ControlState,
	{ level, release }: Extract<ControlCommand, { type: "set-write-level" }>,
): WriteLevelResult {
	const current = state.writeLevel;
	if (current !== null && level < current.level)
		return { ...done("lower"), writeLevel: current };
	if (current === null || level > current.level)
		state.writeLevel = { level, release };
	return { ...done(null), writeLevel: state.writeLevel };
}
