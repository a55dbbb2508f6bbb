import type { Outcome } from "./round.js";

const columns = [
	...["operation", "fault", "where", "while", "held", "ended", "then"],
	...["failed", "slowest write"],
];

function cellsOf(outcome: Outcome): readonly string[] {
	const { operation, fault, host, step, heldMs, failed, slowestMs } = outcome;
	return [
		...[operation, fault, host ?? "-", step],
		heldMs === null ? "to the end" : seconds(heldMs),
		endedOf(outcome),
		thenOf(outcome),
		`${failed} of ${outcome.requests}`,
		`${slowestMs} ms`,
	];
}

function endedOf({ ended, exitCode }: Outcome): string {
	if (exitCode === 0) return ended;
	return exitCode === null ? "killed" : `${ended} (${exitCode})`;
}

/** "resume 2": given twice until it was done. */
function thenOf({ typed }: Outcome): string {
	if (typed.length === 0) return "-";
	const counts = new Map<string, number>();
	for (const word of typed) counts.set(word, (counts.get(word) ?? 0) + 1);
	return [...counts]
		.map(([word, count]) => (count === 1 ? word : `${word} ${count}`))
		.join(", ");
}

function seconds(ms: number): string {
	return ms === 0 ? "-" : `${(ms / 1_000).toFixed(1)} s`;
}

export function lineOf(outcome: Outcome): string {
	const verdict = outcome.broken.length === 0 ? "ok" : "BROKEN";
	return `${cellsOf(outcome).join("  ")}  ${verdict}`;
}

/** As lines; operation by operation. What was broken is below. */
export function tableOf(outcomes: readonly Outcome[]): readonly string[] {
	const names = [...new Set(outcomes.map(({ operation }) => operation))];
	const sorted = names.flatMap((name) =>
		outcomes.filter(({ operation }) => operation === name),
	);
	const all = [columns, ...sorted.map(cellsOf)];
	const widths = columns.map((_, at) =>
		Math.max(...all.map((row) => row[at]?.length ?? 0)),
	);
	const numbers = columns.length - 2;
	const lines = all.map((row) =>
		row
			.map((cell, at) =>
				at < numbers
					? cell.padEnd(widths[at] ?? 0)
					: cell.padStart(widths[at] ?? 0),
			)
			.join("  "),
	);
	const broken = sorted.flatMap((outcome) =>
		outcome.broken.map(
			(what) => `broken, ${outcome.operation} with ${outcome.fault}: ${what}`,
		),
	);
	return [...lines, ...broken];
}
