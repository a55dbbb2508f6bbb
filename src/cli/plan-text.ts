import type { PlanReport } from "../operations/plan.js";
import { soFarLines } from "./progress/plan-lines.js";
import { textTable } from "./text-table.js";

/** A plan for people, as --dry-run prints it. */
export function planText({
	operation,
	cluster,
	plan,
	soFar = [],
}: Pick<PlanReport, "operation" | "cluster" | "plan" | "soFar">): string {
	if (plan.length === 0)
		return [
			`${operation} of ${cluster} has nothing to do; nothing was touched`,
			...soFarLines({ soFar }),
		].join("\n");
	return [
		`${operation} of ${cluster}, as it would run now; nothing was touched:`,
		...soFarLines({ soFar }).map((line) => `  ${line}`),
		"",
		textTable(
			["STEP", "WHAT", "COST"],
			plan.map(({ id, title, cost }) => [id, title, cost]),
		),
	].join("\n");
}
