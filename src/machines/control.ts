import {
	type AlarmKind,
	type ControlCommand,
	parseControl,
} from "./control/commands.js";
import { executeLock, type OperationLock } from "./control/lock.js";
import { SessionTable } from "./sessions.js";

export {
	type AlarmKind,
	alarmKinds,
	type ControlCommand,
	parseControl,
} from "./control/commands.js";
export type { OperationLock } from "./control/lock.js";

/**
 * The cluster's own replicated state, beside the application's: who operates on it now, what may be written, what is
 * wrong, and the clients' sessions. Commands are JSON in entries of kind control. Time enters only through the commands,
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
	readonly sessions: SessionTable;
}

/** Up to which level of the entry format the cluster's commands are written; it only rises (P61). */
export interface WriteLevel {
	readonly level: number;
	/** The release that set it: a binary must be as new to read what is written. */
	readonly release: string;
}

export interface Alarm {
	readonly kind: AlarmKind;
	readonly node: string;
	readonly index: number;
	readonly message: string;
	readonly raisedAtMs: number;
}

/** There is one alarm of a kind about a node. */
export function alarmName(kind: AlarmKind, node: string): string {
	return `${kind} ${node}`;
}

/** A constant of the format: every node must refuse the same alarm. */
export const maxAlarms = 64;

/** What every control command's result says. */
export interface ControlOutcome {
	readonly ok: boolean;
	/**
	 * malformed: no known command. held: another holds the lock. lost: the token is no longer the lock's.
	 * too-many-sessions and too-many-alarms: there is no room for another. lower: the write level only rises.
	 */
	readonly reason:
		| "malformed"
		| "held"
		| "lost"
		| "too-many-sessions"
		| "too-many-alarms"
		| "lower"
		| null;
}

/** The result of a command to the lock, and of bytes that are no command. */
export interface ControlResult extends ControlOutcome {
	readonly reason: "held" | "lost" | "malformed" | null;
	readonly lock: OperationLock | null;
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
	if (command === null)
		return {
			ok: false,
			reason: "malformed",
			lock: state.lock,
		} as ControlResult;
	advance(state, command.nowMs);
	switch (command.type) {
		case "open-session":
			return openSession(state, command.ttlMs, index);
		case "set-write-level":
			return setWriteLevel(state, command);
		case "raise-alarm":
			return raiseAlarm(state, command);
		case "clear-alarm":
			return clearAlarm(state, command);
		case "tick":
		case "compare-state":
			return done(null);
		default: {
			const reason = executeLock(state, command, index);
			return { ...done(reason), lock: state.lock } as ControlResult;
		}
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

/** Raised again, it stays as it was first raised. */
function raiseAlarm(
	state: ControlState,
	command: Extract<ControlCommand, { type: "raise-alarm" }>,
): ControlOutcome {
	const { kind, node, index, message } = command;
	const name = alarmName(kind, node);
	if (state.alarms.has(name)) return done(null);
	if (state.alarms.size >= maxAlarms) return done("too-many-alarms");
	const alarm = { kind, node, index, message, raisedAtMs: state.nowMs };
	state.alarms = new Map(state.alarms).set(name, alarm);
	return done(null);
}

function clearAlarm(
	state: ControlState,
	{ kind, node }: Extract<ControlCommand, { type: "clear-alarm" }>,
): ControlOutcome {
	const name = alarmName(kind, node);
	if (!state.alarms.has(name)) return done(null);
	const left = new Map(state.alarms);
	left.delete(name);
	state.alarms = left;
	return done(null);
}
