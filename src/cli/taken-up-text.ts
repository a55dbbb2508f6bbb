import type { PlannedStep } from "../operations/events.js";

interface TakenUp {
	readonly operation: string;
	readonly cluster: string;
	readonly plan: readonly PlannedStep[];
	readonly id?: string;
	readonly durationMs?: number;
}

/** How taking an operation up ended, for people. */
export function takenUpText(
	as: "resume" | "abort",
	{ operation, cluster, id = "", durationMs = 0 }: TakenUp,
): string {
	const what = `${operation} of ${cluster} (${id})`;
	const seconds = `${(durationMs / 1000).toFixed(1)} s`;
	return as === "resume"
		? `${what} is done; this took ${seconds}`
		: `${what} is given up; nothing is half done. This took ${seconds}`;
}
