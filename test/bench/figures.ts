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
	/** Of the sizes of the states that operations work on; 1 for what is asked. */
	readonly scale: number;
}

export const mebibyte = 1024 * 1024;

/** Whether the number is what it must be; null where nothing is asked of it. */
export function holds({ value, atMost, atLeast }: Figure): boolean | null {
	if (atMost === undefined && atLeast === undefined) return null;
	return value <= (atMost ?? value) && value >= (atLeast ?? value);
}

/** `figures` as a table for people. */
export function table(figures: readonly Figure[]): string[][] {
	return [
		["figure", "measured", "asked", "", "note"],
		...figures.map((figure) => {
			const { name, value, unit, atMost, atLeast, note = "" } = figure;
			const asked =
				atMost === undefined
					? atLeast === undefined
						? ""
						: `≥ ${atLeast} ${unit}`
					: `≤ ${atMost} ${unit}`;
			const kept = holds(figure);
			return [
				name,
				`${rounded(value)} ${unit}`,
				asked,
				kept === null ? "" : kept ? "holds" : "missed",
				note,
			];
		}),
	];
}

export function rounded(value: number): number {
	return Number(value.toFixed(Math.abs(value) < 100 ? 2 : 0));
}
