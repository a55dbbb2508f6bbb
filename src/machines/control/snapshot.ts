import {
	type ControlState,
	createControlState,
	parseControl,
} from "../control.js";
import { MachineInputError } from "../machine.js";
import { type Alarm, alarmFields, alarmName } from "./alarms.js";
import {
	maxFinishedOperations,
	operationFields,
	type StoredOperation,
} from "./journal.js";
import { lockFields } from "./lock.js";
import { scheduledFields, scheduleFields } from "./schedule.js";

const encoder = new TextEncoder();

/**
 * The control state without its sessions as JSON, with one order of its keys, so that equal ones are equal bytes. What
 * is empty since this key exists is left out: a state that never used it reads as in earlier releases. A release that
 * adds more writes that only above a level that earlier ones refuse. At most 2.5 MiB: 64 alarms and 51 operations of
 * twice `maxRecordBytes`, all else being short.
 */
export function encodeControl(state: Readonly<ControlState>): Uint8Array {
	const { operations } = state;
	return encoder.encode(
		JSON.stringify({
			...settingsOf(state),
			operations:
				operations.length === 0 ? undefined : operations.map(operationFields),
			...scheduleOf(state),
		}),
	);
}

/** The same without the journal. */
export function encodeSettings(state: Readonly<ControlState>): Uint8Array {
	return encoder.encode(
		JSON.stringify({ ...settingsOf(state), ...scheduleOf(state) }),
	);
}

function settingsOf(state: Readonly<ControlState>) {
	const { nowMs, fencingToken, writeLevel, alarms } = state;
	return {
		...{ nowMs, fencingToken },
		lock: state.lock && lockFields(state.lock),
		writeLevel: writeLevel && {
			level: writeLevel.level,
			release: writeLevel.release,
		},
		alarms: [...alarms.values()].map(alarmFields),
	};
}

function scheduleOf({
	snapshotSchedule,
	scheduledSnapshot,
}: Readonly<ControlState>) {
	return {
		snapshotSchedule: snapshotSchedule
			? scheduleFields(snapshotSchedule)
			: undefined,
		scheduledSnapshot: scheduledSnapshot
			? scheduledFields(scheduledSnapshot)
			: undefined,
	};
}

/** Throws MachineInputError for what `encodeControl` does not write: nothing may be lost in silence. */
export function decodeControl(bytes: Uint8Array): ControlState {
	const state = createControlState();
	try {
		const read = JSON.parse(new TextDecoder().decode(bytes));
		state.nowMs = read.nowMs;
		state.fencingToken = read.fencingToken;
		state.lock = read.lock;
		state.writeLevel = read.writeLevel;
		state.alarms = new Map(
			(read.alarms as Alarm[]).map((alarm) => [
				alarmName(alarm.kind, alarm.node),
				alarm,
			]),
		);
		state.operations = (read.operations ?? []).map(operationFields);
		state.snapshotSchedule = read.snapshotSchedule ?? null;
		state.scheduledSnapshot = read.scheduledSnapshot ?? null;
		if (isWhole(state) && Buffer.from(encodeControl(state)).equals(bytes))
			return state;
	} catch (cause) {
		throw new MachineInputError("this is no state of a cluster", { cause });
	}
	throw new MachineInputError(
		"the cluster's state has parts that this release does not know",
	);
}

/** Every part would be taken as a command's; what else JSON may hold is not. */
function isWhole(state: ControlState): boolean {
	const { nowMs, fencingToken, alarms, lock } = state;
	const isKnown = commandsOf(state).every(
		(command) =>
			parseControl(encoder.encode(JSON.stringify({ ...command, nowMs }))) !==
			null,
	);
	const numbers = [
		fencingToken,
		...[...alarms.values()].map(({ raisedAtMs }) => raisedAtMs),
		...(lock === null ? [] : [lock.acquiredAtMs, lock.expiresAtMs]),
	];
	return isKnown && numbers.every(isTime) && isJournal(state.operations);
}

/** Those that hold all that the state does. */
function commandsOf(state: ControlState): object[] {
	const { writeLevel, lock, snapshotSchedule, scheduledSnapshot } = state;
	const commands: object[] = [{ type: "tick" }];
	if (writeLevel !== null)
		commands.push({ ...writeLevel, type: "set-write-level" });
	if (lock !== null)
		commands.push(
			{ ...lock, type: "acquire-lock", ttlMs: 1 },
			{ ...lock, type: "renew-lock", ttlMs: 1 },
		);
	for (const alarm of state.alarms.values())
		commands.push({ ...alarm, type: "raise-alarm" });
	for (const operation of state.operations)
		commands.push({ ...operation, type: "write-operation", fencingToken: 0 });
	if (snapshotSchedule !== null)
		commands.push({
			...{ type: "set-snapshot-schedule", fencingToken: 0 },
			schedule: snapshotSchedule,
		});
	if (scheduledSnapshot !== null)
		commands.push({ ...scheduledSnapshot, type: "record-scheduled-snapshot" });
	return commands;
}

function isJournal(operations: readonly StoredOperation[]): boolean {
	const finished = operations.filter(({ unfinished }) => !unfinished);
	return (
		finished.length <= maxFinishedOperations &&
		operations.slice(1).every(({ unfinished }) => !unfinished) &&
		new Set(operations.map(({ id }) => id)).size === operations.length &&
		operations.every(
			({ pauseRequested, unfinished, beganAtMs, updatedAtMs }) =>
				(pauseRequested === false || (pauseRequested === true && unfinished)) &&
				isTime(beganAtMs) &&
				isTime(updatedAtMs),
		)
	);
}

function isTime(value: number): boolean {
	return Number.isSafeInteger(value) && value >= 0;
}
