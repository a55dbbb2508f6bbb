import type { LockCommand } from "./commands.js";

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

/** The parts of the control state that commands to the lock read and change. */
export interface LockState {
	lock: OperationLock | null;
	readonly nowMs: number;
	/** The newest fencing token handed out; a holder of an older one is fenced off. */
	fencingToken: number;
}

/** Null when it was done. held: another holds it. lost: the token is no longer the lock's. */
export type LockRefusal = "held" | "lost" | null;

/** `index` is the entry's. Expired locks were removed before. */
export function executeLock(
	state: LockState,
	command: LockCommand,
	index: number,
): LockRefusal {
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
	state: LockState,
	command: Extract<LockCommand, { type: "acquire-lock" }>,
	index: number,
): LockRefusal {
	if (state.lock !== null) return "held";
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
	return null;
}

/** An expired lock is lost even when nobody took it: by hand, anything may have been done meanwhile. */
function renew(
	state: LockState,
	command: Extract<LockCommand, { type: "renew-lock" }>,
): LockRefusal {
	const { lock } = state;
	if (lock?.fencingToken !== command.fencingToken) return "lost";
	const expiresAtMs = Math.max(lock.expiresAtMs, state.nowMs + command.ttlMs);
	state.lock = { ...lock, step: command.step, expiresAtMs };
	return null;
}

/** Releasing again what nobody has taken since is no mistake: the first answer may have been lost. */
function release(state: LockState, fencingToken: number): LockRefusal {
	const newest = fencingToken === state.fencingToken && fencingToken !== 0;
	if (!newest) return "lost";
	state.lock = null;
	return null;
}

/**
 * Whether a command that is not the lock's own may be executed for whoever brings this token: for as long as its lock
 * stands. Without one (0), a person calls by hand: not while an operation holds the lock.
 */
export function fence({ lock }: LockState, fencingToken: number): LockRefusal {
	if (fencingToken === (lock?.fencingToken ?? 0)) return null;
	return fencingToken === 0 ? "held" : "lost";
}

/** Its fields alone, in the one order in which they are written. */
export function lockFields(lock: OperationLock): OperationLock {
	const { holder, host, nonce, operation, step } = lock;
	const { fencingToken, acquiredAtMs, expiresAtMs } = lock;
	return {
		...{ holder, host, nonce, operation, step },
		...{ fencingToken, acquiredAtMs, expiresAtMs },
	};
}
