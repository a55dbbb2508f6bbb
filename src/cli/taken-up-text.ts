import type { PlannedStep } from "../operations/events.js";

interface TakenUp {
	readonly operation: string;
	readonly cluster: string;
	readonly plan: readonly PlannedStep[];
	readonly id?: string;
	readonly durationMs?: number;
	/** What an abort waited for in vain. */
	readonly unconfirmed?: readonly string[];
}

/** How taking an operation up ended, for people. */
export function takenUpText(
	as: "resume" | "abort",
	{ operation, cluster, id = "", durationMs = 0, unconfirmed = [] }: TakenUp,
): string {
	const what = `${operation} of ${cluster} (${id})`;
	const seconds = `${(durationMs / 1000).toFixed(1)} s`;
	if (as === "resume") return `${what} is done; this took ${seconds}`;
	return unconfirmed.length === 0
		? `${what} is given up; nothing is half done. This took ${seconds}`
		: [
				`${what} is given up, and somebody has to look at:`,
				...unconfirmed.map((one) => `  ${one}`),
			].join("\n");
}
