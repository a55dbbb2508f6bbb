import { axisTicks, numberText, roundAbove } from "./axis.js";

/** A line of a chart. */
export interface ChartLine {
	readonly name: string;
	readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
	readonly title: string;
	readonly xLabel: string;
	readonly yLabel: string;
	/** tail: shares of 1, each further nine as wide as the one before. */
	readonly xScale: "linear" | "tail";
	readonly yScale: "linear" | "log";
	readonly lines: readonly ChartLine[];
}

const width = 760;
const height = 360;
const margin = { left: 70, right: 20, top: 80, bottom: 52 };
const colours = [
	"#0b62a4",
	"#d1495b",
	"#2e7d32",
	"#b26a00",
	"#6a1b9a",
	"#00796b",
];

/** All charts below each other, as one document without anything from elsewhere. */
export function chartsSvg(charts: readonly Chart[]): string {
	const all = charts.length * height;
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${all}" width="${width}" height="${all}" font-family="sans-serif" font-size="12">`,
		`<rect width="${width}" height="${all}" fill="#ffffff"/>`,
		...charts.map(
			(chart, at) =>
				`<g transform="translate(0 ${at * height})">\n${chartBody(chart)}\n</g>`,
		),
		"</svg>",
	].join("\n");
}

interface Axis {
	/** Pixels. */
	place(value: number): number;
	readonly ticks: readonly (readonly [value: number, text: string])[];
}

function chartBody(chart: Chart): string {
	const points = chart.lines.flatMap((line) => line.points);
	const x = xAxis(
		chart,
		points.map(([one]) => one),
	);
	const y = yAxis(
		chart,
		points.map(([, one]) => one),
	);
	const right = width - margin.right;
	const bottom = height - margin.bottom;
	return [
		text(margin.left, 20, chart.title, 'font-size="15" font-weight="bold"'),
		...y.ticks.flatMap(([value, label]) => [
			`<line x1="${margin.left}" x2="${right}" y1="${px(y.place(value))}" y2="${px(y.place(value))}" stroke="#dddddd"/>`,
			text(margin.left - 8, y.place(value) + 4, label, 'text-anchor="end"'),
		]),
		...x.ticks.map(([value, label]) =>
			text(x.place(value), bottom + 18, label, 'text-anchor="middle"'),
		),
		`<path d="M${margin.left} ${margin.top}V${bottom}H${right}" fill="none" stroke="#333333"/>`,
		text(
			(margin.left + right) / 2,
			height - 12,
			chart.xLabel,
			'text-anchor="middle"',
		),
		text(
			margin.left - 8,
			margin.top - 14,
			chart.yLabel,
			'fill="#555555" text-anchor="end"',
		),
		...chart.lines.flatMap((line, at) => lineBody(line, at, { x, y })),
	].join("\n");
}

function lineBody(
	{ name, points }: ChartLine,
	at: number,
	{ x, y }: { readonly x: Axis; readonly y: Axis },
): string[] {
	const colour = colours[at % colours.length];
	const places = points.map(
		([one, other]) => `${px(x.place(one))},${px(y.place(other))}`,
	);
	const legend = width - margin.right - 150 * (Math.floor(at / 2) + 1);
	const legendTop = 38 + 18 * (at % 2);
	return [
		`<polyline points="${places.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
		...(points.length > 60
			? []
			: places.map((place) => {
					const [cx, cy] = place.split(",");
					return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
				})),
		`<rect x="${legend}" y="${legendTop - 4}" width="14" height="4" fill="${colour}"/>`,
		text(legend + 20, legendTop + 2, name),
	];
}

function xAxis({ xScale }: Chart, values: readonly number[]): Axis {
	const span = width - margin.left - margin.right;
	if (xScale === "linear") {
		const max = roundAbove(Math.max(...values, 0));
		return {
			place: (value) => margin.left + (span * value) / max,
			ticks: evenly(max),
		};
	}
	const nines = (share: number) => -Math.log10(Math.max(1e-9, 1 - share));
	// The largest of all has no share of its own: it stands one nine behind the last.
	const most = Math.max(1, ...values.filter((one) => one < 1).map(nines)) + 0.5;
	return {
		place: (share) =>
			margin.left + (span * Math.min(nines(share), most)) / most,
		ticks: [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999]
			.filter((share) => nines(share) < most)
			.map((share) => [share, `${Number((share * 100).toPrecision(8))} %`]),
	};
}

function yAxis({ yScale }: Chart, values: readonly number[]): Axis {
	const bottom = height - margin.bottom;
	const span = bottom - margin.top;
	const above = values.filter((one) => one > 0);
	if (yScale === "linear" || above.length === 0) {
		const max = roundAbove(Math.max(...values, 0));
		return {
			place: (value) => bottom - (span * value) / max,
			ticks: evenly(max),
		};
	}
	const low = Math.floor(Math.log10(Math.min(...above)));
	const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...above))));
	return {
		place: (value) =>
			bottom -
			(span * (Math.log10(Math.max(value, 10 ** low)) - low)) / (high - low),
		ticks: Array.from({ length: high - low + 1 }, (_, at) => [
			10 ** (low + at),
			numberText(10 ** (low + at)),
		]),
	};
}

function evenly(max: number): (readonly [number, string])[] {
	return Array.from({ length: axisTicks + 1 }, (_, at) => {
		const value = (max * at) / axisTicks;
		return [value, numberText(value)];
	});
}

function text(x: number, y: number, words: string, more = ""): string {
	return `<text x="${px(x)}" y="${px(y)}"${more === "" ? "" : ` ${more}`}>${escaped(words)}</text>`;
}

function px(value: number): string {
	return String(Number(value.toFixed(1)));
}

/** Also within an attribute. */
export function escaped(words: string): string {
	return words
		.replaceAll("&", "&amp;")
		.replaceAll("<", "&lt;")
		.replaceAll(">", "&gt;")
		.replaceAll('"', "&quot;");
}
