import type { ControlState, OperationLock } from "../../machines/control.js";

/**
 * Why a mutating call with this fencing token must be refused, or null. A token counts for as long as its lock stands:
 * released or expired, it is out of date even while nobody has taken the lock since, for by hand anything may have been
 * done. Without a token (0), a person calls by hand: not while an operation holds the lock. A token above the newest that
 * this node has executed is of a lock that it has yet to hear of. `nowMs`: as the cluster has told it, for by a clock of its own
 * that is wrong a node would fence off whoever holds the lock.
 */
export function fencingRefusal(
	token: number,
	state: Readonly<ControlState>,
	nowMs: number,
): string | null {
	const { lock, fencingToken } = state;
	if (token > fencingToken) return null;
	const stands = lock !== null && nowMs < lock.expiresAtMs ? lock : null;
	const isCurrent = token === (stands?.fencingToken ?? 0);
	return isCurrent ? null : fencedOff(token, stands);
}

/** The sentence for whoever is fenced off; `lock` is the one that stands. */
export function fencedOff(token: number, lock: OperationLock | null): string {
	const held =
		lock === null
			? "the lock is free now"
			: `${lock.holder} on ${lock.host} holds the lock for ${lock.operation} (token ${lock.fencingToken})`;
	return token === 0
		? `${held}; call with its fencing token or wait until it is done`
		: `fencing token ${token} is out of date; ${held}`;
}
