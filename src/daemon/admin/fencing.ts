import type { ControlState } from "../../machines/control.js";

/**
 * Why a mutating call with this fencing token must be refused, or null. A token below the newest means that another
 * operation has begun since. Without a token (0), a person calls by hand: not while an operation holds the lock.
 */
export function fencingRefusal(
	token: number,
	state: Readonly<ControlState>,
	nowMs: number,
): string | null {
	const { lock } = state;
	const held =
		lock === null
			? "the lock is free now"
			: `${lock.holder} on ${lock.host} holds the lock for ${lock.operation} (token ${lock.fencingToken})`;
	if (token === 0) {
		if (lock === null || nowMs >= lock.expiresAtMs) return null;
		return `${held}; call with its fencing token or wait until it is done`;
	}
	if (token >= state.fencingToken) return null;
	return `fencing token ${token} is out of date: the newest is ${state.fencingToken}; ${held}`;
}
