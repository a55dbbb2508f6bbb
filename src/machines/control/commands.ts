import { sessionLimits } from "../sessions.js";

export const alarmKinds = [
	"state-differs",
	"log-went-back",
	"unreadable-entry",
	"corrupt-data",
] as const;
export type AlarmKind = (typeof alarmKinds)[number];

/** `nowMs`: the clock of whoever proposed it, in milliseconds since the Unix epoch. */
export type ControlCommand = { readonly nowMs: number } & (
	| LockCommand
	| { readonly type: "open-session"; readonly ttlMs: number }
	/** Time passes, nothing else. */
	| { readonly type: "tick" }
	/** `release`: that which writes this level, and is needed to read it. */
	| {
			readonly type: "set-write-level";
			readonly level: number;
			readonly release: string;
	  }
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
	  }
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

/** Longer names would grow the state that every node keeps and every status shows. */
const maxNameLength = 256;
const maxMessageLength = 1024;
const maxLockTtlMs = 24 * 60 * 60 * 1000;
/** The year 9999: no clock is right beyond it. */
const maxNowMs = 253_402_300_799_999;
const maxLevel = 255;

type Fields = Readonly<Record<string, unknown>>;

/** What each command must hold besides its type and time. */
const shapes: Record<ControlCommand["type"], (fields: Fields) => boolean> = {
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
	"clear-alarm": ({ kind, node }) => isAlarmKind(kind) && isText(node),
	"compare-state": ({ index, digest }) =>
		isWhole(index) &&
		typeof digest === "string" &&
		/^[0-9a-f]{1,128}$/.test(digest),
};

/** Null for bytes that are no command. */
export function parseControl(data: Uint8Array): ControlCommand | null {
	const fields = parseObject(data);
	if (fields === null || !isWhole(fields.nowMs, maxNowMs)) return null;
	const { type } = fields;
	if (typeof type !== "string" || !Object.hasOwn(shapes, type)) return null;
	const fits = shapes[type as ControlCommand["type"]];
	return fits(fields) ? (fields as unknown as ControlCommand) : null;
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

function isAlarmKind(value: unknown): boolean {
	return alarmKinds.some((kind) => kind === value);
}

function isText(value: unknown, longest = maxNameLength): value is string {
	return typeof value === "string" && value.length <= longest;
}

function isLasting(value: unknown, longestMs: number): boolean {
	return isWhole(value, longestMs) && value > 0;
}

function isWhole(
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
