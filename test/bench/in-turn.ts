import { type Figure, rounded } from "./figures.js";
import { spread } from "./statistics.js";

/** What every system got in one round. */
export type Round = ReadonlyMap<string, number>;

/**
 * Measures systems in turn, round after round: a machine that gets slower meanwhile is as slow for each, and what counts
 * are the medians of the ratios within a round.
 */
export async function inTurn(
	rounds: number,
	systems: Readonly<Record<string, () => Promise<number | readonly Round[]>>>,
): Promise<Round[]> {
	const all: Round[] = [];
	for (let round = 1; round <= rounds; round++) {
		const values = new Map<string, number>();
		for (const [name, measure] of Object.entries(systems)) {
			process.stderr.write(`  round ${round}: ${name}\n`);
			const measured = await measure();
			if (typeof measured === "number") values.set(name, measured);
			else
				for (const part of measured)
					for (const [system, value] of part) values.set(system, value);
		}
		all.push(values);
	}
	return all;
}

/** One system over another, with what both were. */
export function ratioFigure(
	name: string,
	rounds: readonly Round[],
	{ of, to, unit }: { of: string; to: string; unit: string },
	asked: Pick<Figure, "atLeast" | "atMost"> = {},
): Figure {
	const valuesOf = (system: string) =>
		rounds.map((round) => round.get(system) ?? Number.NaN);
	const own = valuesOf(of);
	const other = valuesOf(to);
	const ratio = spread(
		own.map((value, round) => value / (other[round] ?? Number.NaN)),
	);
	const both = [own, other].map((values) => rounded(spread(values).median));
	return {
		...{ name, value: ratio.median, unit: "×", ...asked },
		note: `${rounded(ratio.min)}–${rounded(ratio.max)} in ${rounds.length} rounds; ${both[0]} ${unit} and ${both[1]}`,
	};
}
