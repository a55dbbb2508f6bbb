import type { AnyMutant } from "./all.js";
import type { MutantResult } from "./check.js";

const widths = [32, 11, 25, 6] as const;

export const columns = row([
	"mutant",
	"pitfall",
	"caught by",
	"seed",
	"seconds",
]);

/** One mutant's end as a line of the table. */
export function line(result: MutantResult): string {
	const { name, pitfall, rule, seed, seconds } = result;
	return row([
		...[name, pitfall, rule ?? "nothing", String(seed ?? "-")],
		seconds.toFixed(1),
	]);
}

export function survivor({ name, breaks }: AnyMutant, seeds: number): string {
	return `${name} survives ${seeds} seeds: the simulator does not see that ${breaks}`;
}

function row(cells: readonly string[]): string {
	return cells
		.map((cell, at) => cell.padEnd((widths[at] ?? 0) + 1))
		.join("")
		.trimEnd();
}
