import type { Alarm, ControlState } from "../control.js";
import { alarmName, createControlState, parseControl } from "../control.js";
import { MachineInputError } from "../machine.js";

/**
 * The control state without its sessions as JSON, with one order of its keys, so that equal ones are equal bytes. A
 * release that adds to it writes that only above a level that earlier ones refuse.
 */
export function encodeControl(state: Readonly<ControlState>): Uint8Array {
	const { nowMs, fencingToken, lock, writeLevel, alarms } = state;
	const json = JSON.stringify({
		nowMs,
		fencingToken,
		lock,
		writeLevel,
		alarms: [...alarms.values()],
	});
	return new TextEncoder().encode(json);
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
	} catch (cause) {
		throw new MachineInputError("this is no state of a cluster", { cause });
	}
	if (!isWhole(state) || !Buffer.from(encodeControl(state)).equals(bytes))
		throw new MachineInputError(
			"the cluster's state has parts that this release does not know",
		);
	return state;
}

/** Every part would be taken as a command's; what else JSON may hold is not. */
function isWhole(state: ControlState): boolean {
	const { nowMs, fencingToken, writeLevel, alarms, lock } = state;
	const commands = [
		{ type: "tick" },
		...(writeLevel === null
			? []
			: [{ ...writeLevel, type: "set-write-level" }]),
		...[...alarms.values()].map((alarm) => ({ ...alarm, type: "raise-alarm" })),
		...(lock === null
			? []
			: [
					{ ...lock, type: "acquire-lock", ttlMs: 1 },
					{ ...lock, type: "renew-lock", ttlMs: 1 },
				]),
	];
	const isKnown = commands.every(
		(command) =>
			parseControl(Buffer.from(JSON.stringify({ ...command, nowMs }))) !== null,
	);
	if (!isKnown) return false;
	const numbers = [
		fencingToken,
		...[...alarms.values()].map(({ raisedAtMs }) => raisedAtMs),
		...(lock === null ? [] : [lock.acquiredAtMs, lock.expiresAtMs]),
	];
	return numbers.every((each) => Number.isSafeInteger(each) && each >= 0);
}
