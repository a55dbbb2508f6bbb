import { sessionLimits } from "../sessions.js";
import { alarmKinds } from "./alarms.js";
import type { ControlCommand } from "./commands.js";

/** Longer names would grow the state that every node keeps and every status shows. */
const maxNameLength = 256;
const maxMessageLength = 1024;
/** Of a path, or a word of a command line. */
const maxWordLength = 1024;
const maxLockTtlMs = 24 * 60 * 60 * 1000;
const maxLevel = 255;

/** Of an operation's record, as UTF-8. */
export const maxRecordBytes = 16 * 1024;

/** What a schedule may ask for. */
export const scheduleLimits = {
	intervalMs: [1_000, 366 * 24 * 60 * 60 * 1000],
	keep: [1, 1_000],
	commandWords: 16,
	wordLength: maxWordLength,
	nameLength: maxNameLength,
} as const;

export type Fields = Readonly<Record<string, unknown>>;

/** What each command must hold besides its type and time. */
export const shapes: Readonly<
	Record<ControlCommand["type"], (fields: Fields) => boolean>
> = {
	"acquire-lock": ({ holder, host, operation, nonce, ttlMs }) =>
		[holder, host, operation, nonce ?? ""].every((each) => isText(each)) &&
		nonce !== null &&
		isLasting(ttlMs, maxLockTtlMs),
	"renew-lock": ({ fencingToken, step, ttlMs }) =>
		isWhole(fencingToken) && isText(step) && isLasting(ttlMs, maxLockTtlMs),
	"release-lock": ({ fencingToken }) => isWhole(fencingToken),
	"open-session": ({ ttlMs }) => isLasting(ttlMs, sessionLimits.maxTtlMs),
	tick: () => true,
	"set-write-level": ({ level, release }) =>
		isWhole(level, maxLevel) && isText(release),
	"raise-alarm": ({ kind, node, index, message }) =>
		isAlarmKind(kind) &&
		isText(node) &&
		isWhole(index) &&
		isText(message, maxMessageLength),
	"clear-alarm": ({ kind, node, fencingToken }) =>
		isAlarmKind(kind) &&
		isText(node) &&
		(fencingToken === undefined || isWhole(fencingToken)),
	"compare-state": ({ index, digest }) =>
		isWhole(index) &&
		typeof digest === "string" &&
		/^[0-9a-f]{1,128}$/.test(digest),
	"write-operation": ({ id, fencingToken, unfinished, record, clearPause }) =>
		isName(id) &&
		isWhole(fencingToken) &&
		typeof unfinished === "boolean" &&
		(clearPause === undefined || typeof clearPause === "boolean") &&
		isRecord(record),
	"pause-operation": ({ id }) => isName(id),
	"set-snapshot-schedule": ({ fencingToken, schedule }) =>
		isWhole(fencingToken) && (schedule === null || isSchedule(schedule)),
	"record-scheduled-snapshot": isScheduled,
};

function isAlarmKind(value: unknown): boolean {
	return alarmKinds.some((kind) => kind === value);
}

function isText(value: unknown, longest = maxNameLength): value is string {
	return typeof value === "string" && value.length <= longest;
}

function isLasting(value: unknown, longestMs: number): boolean {
	return isWhole(value, longestMs) && value > 0;
}

export function isWhole(
	value: unknown,
	largest = Number.MAX_SAFE_INTEGER,
): value is number {
	return (
		typeof value === "number" &&
		Number.isSafeInteger(value) &&
		value >= 0 &&
		value <= largest
	);
}

function isWithin(
	value: unknown,
	[least, most]: readonly [number, number],
): boolean {
	return isWhole(value, most) && value >= least;
}

function isName(value: unknown): boolean {
	return isText(value) && value !== "";
}

/** Control characters would make it six times as long where it is written as JSON; JSON on one line has none. */
function isRecord(value: unknown): boolean {
	return (
		typeof value === "string" &&
		value.length <= maxRecordBytes &&
		Buffer.byteLength(value) <= maxRecordBytes &&
		isOneLine(value)
	);
}

/** Without characters below the space. */
export function isOneLine(text: string): boolean {
	for (let at = 0; at < text.length; at++)
		if (text.charCodeAt(at) < 0x20) return false;
	return true;
}

function isSchedule(value: unknown): boolean {
	if (typeof value !== "object" || value === null) return false;
	const { intervalMs, keep, directory, command, s3 } = value as Fields;
	return (
		isWithin(intervalMs, scheduleLimits.intervalMs) &&
		isWithin(keep, scheduleLimits.keep) &&
		isText(directory, maxWordLength) &&
		Array.isArray(command) &&
		command.length <= scheduleLimits.commandWords &&
		command.every((word) => isText(word, maxWordLength)) &&
		(s3 === null || isTarget(s3))
	);
}

function isTarget(value: unknown): boolean {
	if (typeof value !== "object" || value === null) return false;
	const { endpoint, bucket, prefix, region } = value as Fields;
	return [endpoint, bucket, prefix, region].every((each) => isText(each));
}

function isScheduled(fields: Fields): boolean {
	const { succeededAtMs, attemptedAtMs, index, bytes } = fields;
	return (
		(succeededAtMs === null || isWhole(succeededAtMs)) &&
		[attemptedAtMs, index, bytes].every((each) => isWhole(each)) &&
		isText(fields.node) &&
		isText(fields.file, maxWordLength) &&
		isText(fields.fault, maxMessageLength)
	);
}
