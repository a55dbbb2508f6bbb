/** One measured number, and what it must be. */
export interface Figure {
	readonly name: string;
	readonly value: number;
	readonly unit: string;
	readonly atMost?: number;
	readonly atLeast?: number;
	/** What else was seen with it. */
	readonly note?: string;
}

export interface Settings {
	/** A CPU profile of every raftd goes there. */
	readonly profile: string | undefined;
	/** Of the sizes of states, the lengths of logs and of long runs; 1 for what is asked. */
	readonly scale: number;
	/** How often what is compared is measured in turn. */
	readonly rounds: number;
	/** Of one measurement of a rate. */
	readonly seconds: number;
}

export const mebibyte = 1024 * 1024;

/** Whether the number is what it must be; null where nothing is asked of it. */
export function holds({ value, atMost, atLeast }: Figure): boolean | null {
	if (atMost === undefined && atLeast === undefined) return null;
	return value <= (atMost ?? value) && value >= (atLeast ?? value);
}

/** `figures` as a table for people; `before`: what was measured when results were kept last. */
export function table(
	figures: readonly Figure[],
	before: (figure: Figure) => number | undefined,
): string[][] {
	return [
		["figure", "measured", "asked", "", "before", "note"],
		...figures.map((figure) => {
			const { name, value, unit, atMost, atLeast, note = "" } = figure;
			const asked =
				atMost === undefined
					? atLeast === undefined
						? ""
						: `≥ ${atLeast} ${unit}`
					: `≤ ${atMost} ${unit}`;
			const kept = holds(figure);
			const last = before(figure);
			return [
				name,
				`${rounded(value)} ${unit}`,
				asked,
				kept === null ? "" : kept ? "holds" : "missed",
				last === undefined ? "" : `${rounded(last)}`,
				note,
			];
		}),
	];
}

export function rounded(value: number): number {
	return Number(value.toFixed(Math.abs(value) < 100 ? 2 : 0));
}
