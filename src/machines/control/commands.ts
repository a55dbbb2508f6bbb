import type { AlarmCommand } from "./alarms.js";
import type { ScheduledSnapshot, SnapshotSchedule } from "./schedule.js";
import { type Fields, isWhole, shapes } from "./shapes.js";

/** `nowMs`: the clock of whoever proposed it, in milliseconds since the Unix epoch. */
export type ControlCommand = { readonly nowMs: number } & (
	| LockCommand
	| JournalCommand
	| ScheduleCommand
	| { readonly type: "open-session"; readonly ttlMs: number }
	/** Time passes, nothing else. */
	| { readonly type: "tick" }
	/** `release`: that which writes this level, and is needed to read it. */
	| {
			readonly type: "set-write-level";
			readonly level: number;
			readonly release: string;
	  }
	| AlarmCommand
	/** The proposer's digest of the state at `index`, in hexadecimal; each node compares its own (P60). */
	| {
			readonly type: "compare-state";
			readonly index: number;
			readonly digest: string;
	  }
);

export type LockCommand =
	| {
			readonly type: "acquire-lock";
			readonly holder: string;
			readonly host: string;
			/** Entries of earlier releases have none. */
			readonly nonce?: string;
			readonly operation: string;
			readonly ttlMs: number;
	  }
	| {
			readonly type: "renew-lock";
			readonly fencingToken: number;
			readonly ttlMs: number;
			readonly step: string;
	  }
	| { readonly type: "release-lock"; readonly fencingToken: number };

export type JournalCommand =
	| {
			readonly type: "write-operation";
			readonly fencingToken: number;
			readonly id: string;
			readonly unfinished: boolean;
			/** JSON on one line: at most `maxRecordBytes` as UTF-8. */
			readonly record: string;
			/** That somebody asked for a pause is forgotten: who takes the operation up begins anew. */
			readonly clearPause?: boolean;
	  }
	| { readonly type: "pause-operation"; readonly id: string };

export type ScheduleCommand =
	| {
			readonly type: "set-snapshot-schedule";
			readonly fencingToken: number;
			/** Null ends it. */
			readonly schedule: SnapshotSchedule | null;
	  }
	/** By the leader, of what it did. */
	| ({ readonly type: "record-scheduled-snapshot" } & ScheduledSnapshot);

/** The year 9999: no clock is right beyond it. */
const maxNowMs = 253_402_300_799_999;

/** Null for bytes that are no command. */
export function parseControl(data: Uint8Array): ControlCommand | null {
	const fields = parseObject(data);
	if (fields === null || !isWhole(fields.nowMs, maxNowMs)) return null;
	const { type } = fields;
	if (typeof type !== "string" || !Object.hasOwn(shapes, type)) return null;
	return shapes[type as ControlCommand["type"]](fields)
		? (fields as unknown as ControlCommand)
		: null;
}

function parseObject(data: Uint8Array): Fields | null {
	try {
		const value: unknown = JSON.parse(new TextDecoder().decode(data));
		return typeof value === "object" && value !== null
			? (value as Fields)
			: null;
	} catch {
		return null;
	}
}
