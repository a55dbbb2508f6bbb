/**
 * The cluster's own replicated state, beside the application's: who operates on it now. Commands are JSON in entries of
 * kind control. Time enters only through the commands, and never runs backwards, so that every node decides alike.
 */
export interface ControlState {
	lock: OperationLock | null;
	/** The latest time any command carried, in milliseconds since the Unix epoch. */
	nowMs: number;
	/** The newest fencing token handed out; a holder of an older one is fenced off. */
	fencingToken: number;
}

export interface OperationLock {
	readonly holder: string;
	readonly host: string;
	/** As the holder chose it, to know its own lock by: names may be shared. Empty when it chose none. */
	readonly nonce: string;
	readonly operation: string;
	readonly step: string;
	/** The index of the entry that took the lock. */
	readonly fencingToken: number;
	readonly acquiredAtMs: number;
	readonly expiresAtMs: number;
}

export type ControlCommand =
	| {
			readonly type: "acquire-lock";
			readonly holder: string;
			readonly host: string;
			/** Entries of earlier releases have none. */
			readonly nonce?: string;
			readonly operation: string;
			readonly ttlMs: number;
			readonly nowMs: number;
	  }
	| {
			readonly type: "renew-lock";
			readonly fencingToken: number;
			readonly ttlMs: number;
			readonly step: string;
			readonly nowMs: number;
	  }
	| {
			readonly type: "release-lock";
			readonly fencingToken: number;
			readonly nowMs: number;
	  };

export interface ControlResult {
	readonly ok: boolean;
	/** held: another holds it. lost: the token is no longer the lock's. malformed: no known command. */
	readonly reason: "held" | "lost" | "malformed" | null;
	readonly lock: OperationLock | null;
}

export function createControlState(): ControlState {
	return { lock: null, nowMs: 0, fencingToken: 0 };
}

/**
 * Executes the control command in the entry at `index`; returns a ControlResult as JSON. Total: bytes that are no
 * command have a result, too, and change nothing.
 */
export function applyControl(
	state: ControlState,
	data: Uint8Array,
	index: number,
): Uint8Array {
	const command = parse(data);
	const result =
		command === null
			? refuse(state, "malformed")
			: execute(state, command, index);
	return new TextEncoder().encode(JSON.stringify(result));
}

function execute(
	state: ControlState,
	command: ControlCommand,
	index: number,
): ControlResult {
	// Clocks of different leaders differ: what has expired once must not come back to life.
	state.nowMs = Math.max(state.nowMs, command.nowMs);
	if (state.lock !== null && state.lock.expiresAtMs <= state.nowMs)
		state.lock = null;
	switch (command.type) {
		case "acquire-lock":
			return acquire(state, command, index);
		case "renew-lock":
			return renew(state, command);
		case "release-lock":
			return release(state, command.fencingToken);
	}
}

/** Not even its own holder takes a lock twice: two processes under one name must not both go on. */
function acquire(
	state: ControlState,
	command: Extract<ControlCommand, { type: "acquire-lock" }>,
	index: number,
): ControlResult {
	if (state.lock !== null) return refuse(state, "held");
	const { holder, host, nonce = "", operation, ttlMs } = command;
	state.fencingToken = index;
	state.lock = {
		holder,
		host,
		nonce,
		operation,
		step: "",
		fencingToken: index,
		acquiredAtMs: state.nowMs,
		expiresAtMs: state.nowMs + ttlMs,
	};
	return accept(state);
}

/** An expired lock is lost even when nobody took it: by hand, anything may have been done meanwhile. */
function renew(
	state: ControlState,
	command: Extract<ControlCommand, { type: "renew-lock" }>,
): ControlResult {
	const { lock } = state;
	if (lock?.fencingToken !== command.fencingToken) return refuse(state, "lost");
	const expiresAtMs = Math.max(lock.expiresAtMs, state.nowMs + command.ttlMs);
	state.lock = { ...lock, step: command.step, expiresAtMs };
	return accept(state);
}

/** Releasing again what nobody has taken since is no mistake: the first answer may have been lost. */
function release(state: ControlState, fencingToken: number): ControlResult {
	const newest = fencingToken === state.fencingToken && fencingToken !== 0;
	if (!newest) return refuse(state, "lost");
	state.lock = null;
	return accept(state);
}

function accept(state: ControlState): ControlResult {
	return { ok: true, reason: null, lock: state.lock };
}

function refuse(
	state: ControlState,
	reason: "held" | "lost" | "malformed",
): ControlResult {
	return { ok: false, reason, lock: state.lock };
}

/** Longer names would grow the state that every node keeps and every status shows. */
const maxNameLength = 256;
const maxTtlMs = 24 * 60 * 60 * 1000;
/** The year 9999: no clock is right beyond it. */
const maxNowMs = 253_402_300_799_999;

function parse(data: Uint8Array): ControlCommand | null {
	const fields = parseObject(data);
	if (fields === null || !isWhole(fields.nowMs, maxNowMs)) return null;
	const named = (...names: string[]) =>
		names.every((name) => isName(fields[name]));
	const lasting = isWhole(fields.ttlMs, maxTtlMs) && fields.ttlMs > 0;
	const fenced = isWhole(fields.fencingToken, Number.MAX_SAFE_INTEGER);
	switch (fields.type) {
		case "acquire-lock":
			return named("holder", "host", "operation") &&
				(fields.nonce === undefined || named("nonce")) &&
				lasting
				? (fields as unknown as ControlCommand)
				: null;
		case "renew-lock":
			return fenced && named("step") && lasting
				? (fields as unknown as ControlCommand)
				: null;
		case "release-lock":
			return fenced ? (fields as unknown as ControlCommand) : null;
		default:
			return null;
	}
}

function parseObject(data: Uint8Array): Record<string, unknown> | null {
	try {
		const value: unknown = JSON.parse(new TextDecoder().decode(data));
		return typeof value === "object" && value !== null
			? (value as Record<string, unknown>)
			: null;
	} catch {
		return null;
	}
}

function isName(value: unknown): value is string {
	return typeof value === "string" && value.length <= maxNameLength;
}

function isWhole(value: unknown, largest: number): value is number {
	return (
		typeof value === "number" &&
		Number.isSafeInteger(value) &&
		value >= 0 &&
		value <= largest
	);
}
