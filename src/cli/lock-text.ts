import type { StatusReport } from "../operations/status.js";

type LockStatus = NonNullable<StatusReport["lock"]>;

/** "rolling-restart by ann@desk:7, at n2/drain". */
export function describeHeld({ operation, holder, step }: LockStatus): string {
	return `${operation} by ${holder}${step === "" ? "" : `, at ${step}`}`;
}

/** The lock for people; `nowMs` since the Unix epoch. */
export function lockText(lock: LockStatus | null, nowMs: number): string {
	if (lock === null) return "nobody holds the operation lock";
	const leftMs = lock.expiresAtMs - nowMs;
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
