import { fence, type LockRefusal, type LockState } from "./lock.js";

export const alarmKinds = [
	"state-differs",
	"log-went-back",
	"unreadable-entry",
	"corrupt-data",
] as const;
export type AlarmKind = (typeof alarmKinds)[number];

export type AlarmCommand =
	| {
			readonly type: "raise-alarm";
			readonly kind: AlarmKind;
			/** Whom it is about. */
			readonly node: string;
			readonly index: number;
			readonly message: string;
	  }
	| {
			readonly type: "clear-alarm";
			readonly kind: AlarmKind;
			readonly node: string;
			/** Of whoever asks for it. Entries of earlier releases have none, and were looked at before. */
			readonly fencingToken?: number;
	  };

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

/** The parts of the control state that commands about alarms read and change. */
export interface AlarmState extends LockState {
	/** By `alarmName`, in the order in which they were raised. Another map when anything changed. */
	alarms: ReadonlyMap<string, Alarm>;
}

/** Null when it was done. too-many-alarms: there is no room for another. */
export type AlarmRefusal = LockRefusal | "too-many-alarms";

export function executeAlarm(
	state: AlarmState,
	command: AlarmCommand,
): AlarmRefusal {
	return command.type === "raise-alarm"
		? raise(state, command)
		: clear(state, command);
}

/** Raised again, it stays as it was first raised. */
function raise(
	state: AlarmState,
	command: Extract<AlarmCommand, { type: "raise-alarm" }>,
): AlarmRefusal {
	const { kind, node, index, message } = command;
	const name = alarmName(kind, node);
	if (state.alarms.has(name)) return null;
	if (state.alarms.size >= maxAlarms) return "too-many-alarms";
	const alarm = { kind, node, index, message, raisedAtMs: state.nowMs };
	state.alarms = new Map(state.alarms).set(name, alarm);
	return null;
}

function clear(
	state: AlarmState,
	command: Extract<AlarmCommand, { type: "clear-alarm" }>,
): AlarmRefusal {
	const { kind, node, fencingToken } = command;
	const refusal =
		fencingToken === undefined ? null : fence(state, fencingToken);
	if (refusal !== null) return refusal;
	const name = alarmName(kind, node);
	if (!state.alarms.has(name)) return null;
	const left = new Map(state.alarms);
	left.delete(name);
	state.alarms = left;
	return null;
}

/** Its fields alone, in the one order in which they are written. */
export function alarmFields(alarm: Alarm): Alarm {
	const { kind, node, index, message, raisedAtMs } = alarm;
	return { kind, node, index, message, raisedAtMs };
}
