import { axisTicks, numberText, roundAbove } from "./axis.js";

/** A line of points, drawn with one character. */
export interface Series {
	readonly name: string;
	readonly mark: string;
	/** What is drawn later hides what is drawn before. */
	readonly points: readonly (readonly [x: number, y: number])[];
}

interface Plot {
	readonly title: string;
	readonly xLabel: string;
	readonly series: readonly Series[];
	/** Characters, labels included. */
	readonly width: number;
	/** Lines between the title and the axis. */
	readonly height: number;
}

const labelWidth = 8;

/** Points over a linear axis from 0 on, with decades upwards, in plain characters. */
export function plotText(plot: Plot): string {
	const { title, xLabel, series, width, height } = plot;
	const points = series.flatMap((one) => one.points).filter(([, y]) => y > 0);
	if (points.length === 0) return `${title}: nothing to draw`;
	const columns = width - labelWidth - 2;
	const xMax = roundAbove(Math.max(...points.map(([x]) => x)));
	const [low, high] = decades(points.map(([, y]) => y));
	const column = (x: number) => Math.round((x / xMax) * (columns - 1));
	const row = (y: number) =>
		Math.round(((high - Math.log10(y)) / (high - low)) * (height - 1));
	const cells = Array.from({ length: height }, () =>
		new Array<string>(columns).fill(" "),
	);
	for (const { mark, points } of series)
		for (const [x, y] of points)
			if (y > 0) (cells[row(y)] as string[])[column(x)] = mark;
	const labels = new Map<number, string>();
	for (let power = low; power <= high; power++)
		labels.set(row(10 ** power), numberText(10 ** power));
	const legend = series.map(({ name, mark }) => `${mark} ${name}`).join("   ");
	return [
		`${title}    ${legend}`,
		...cells.map((line, at) =>
			`${(labels.get(at) ?? "").padStart(labelWidth)} |${line.join("")}`.trimEnd(),
		),
		`${" ".repeat(labelWidth)} +${"-".repeat(columns)}`,
		`${axisLine(xMax, columns)}`.trimEnd(),
		`${" ".repeat(labelWidth + 2)}${xLabel}`,
	].join("\n");
}

/** The powers of ten below and above all values; one apart at least. */
function decades(values: readonly number[]): [number, number] {
	const low = Math.floor(Math.log10(Math.min(...values)));
	const high = Math.ceil(Math.log10(Math.max(...values)));
	return [low, Math.max(high, low + 1)];
}

function axisLine(xMax: number, columns: number): string {
	let line = "";
	for (let tick = 0; tick <= axisTicks; tick++) {
		const text = numberText((xMax * tick) / axisTicks);
		const place =
			labelWidth + 2 + Math.round((tick / axisTicks) * (columns - 1));
		// Below its tick, but within the plot, and never into the one before.
		const start = Math.min(
			place - Math.floor(text.length / 2),
			labelWidth + 2 + columns - text.length,
		);
		if (start > line.length || line === "") line = line.padEnd(start) + text;
	}
	return line;
}
