import type { HeldLocks } from "../operations/lock-status.js";

type LockStatus = NonNullable<HeldLocks["lock"]>;
type HostLockStatus = NonNullable<HeldLocks["hosts"]>;

/** "rolling-restart by ann@desk:7, at n2/drain". */
export function describeHeld({
	operation,
	holder,
	step,
}: Pick<LockStatus, "operation" | "holder" | "step">): string {
	return `${operation} by ${holder}${step === "" ? "" : `, at ${step}`}`;
}

/** Both locks for people; `nowMs` since the Unix epoch. */
export function locksText({ lock, hosts }: HeldLocks, nowMs: number): string {
	if (hosts === null) return lockText(lock, nowMs);
	const cluster = lock === null ? "" : `\n\n${lockText(lock, nowMs)}`;
	return `${hostLockText(hosts)}${cluster}`;
}

function hostLockText(lock: HostLockStatus): string {
	return [
		`held for  ${lock.operation}, on the hosts`,
		`by        ${lock.holder}`,
		`since     ${new Date(lock.acquiredAtMs).toISOString()}`,
		`at        ${lock.step === "" ? "its beginning" : lock.step}`,
		lock.isAlive
			? "ends      with the operation: its holder lives"
			: "ends      once somebody needs it and has watched it for 20 s: its holder is silent",
	].join("\n");
}

/** How long the cluster lets it stand; by this machine's clock, at `nowMs`, only where no node says that. */
export function lockLeftMs(
	{ leftMs, expiresAtMs }: Pick<LockStatus, "leftMs" | "expiresAtMs">,
	nowMs: number,
): number {
	return leftMs ?? expiresAtMs - nowMs;
}

/** The lock for people; `nowMs` since the Unix epoch. */
function lockText(lock: LockStatus | null, nowMs: number): string {
	if (lock === null) return "nobody holds the operation lock";
	const leftMs = lockLeftMs(lock, nowMs);
	return [
		`held for  ${lock.operation}`,
		`by        ${lock.holder}`,
		`since     ${new Date(lock.acquiredAtMs).toISOString()}`,
		`at        ${lock.step === "" ? "its beginning" : lock.step}`,
		leftMs > 0
			? `ends      in ${Math.ceil(leftMs / 1000)} s, unless it is renewed`
			: "ends      now: it was not renewed in time",
	].join("\n");
}
