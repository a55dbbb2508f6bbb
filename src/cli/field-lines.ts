import { durationText } from "./progress/duration.js";

/**
 * Data for people, a line each: "longest stall: 1.2 s", lists behind commas, what is nested on one line or, where that is
 * long, indented below. What has nothing to say is left out; all of it is in the JSON.
 */
export function fieldLines(fields: object): readonly string[] {
	return Object.entries(fields).flatMap(([name, value]) =>
		isEmpty(value) ? [] : linesOf(labelOf(name), textOf(name, value), value),
	);
}

/** A table is as wide as its widest cell. */
const lineLength = 100;
const cutLength = 160;

function linesOf(
	label: string,
	text: string,
	value: unknown,
): readonly string[] {
	const line = `${label}: ${text}`;
	if (line.length <= lineLength || typeof value !== "object")
		return [shortened(line)];
	const nested = Array.isArray(value)
		? value.map((one) => shortened(textOf("", one)))
		: fieldLines(value as object);
	return [`${label}:`, ...nested.map((one) => `  ${one}`)];
}

function textOf(name: string, value: unknown): string {
	if (Array.isArray(value))
		return value.map((one) => textOf(name, one)).join(separatorOf(value));
	if (typeof value === "object" && value !== null)
		return Object.entries(value)
			.filter(([, inner]) => !isEmpty(inner))
			.map(([key, inner]) => `${labelOf(key)} ${textOf(key, inner)}`)
			.join(", ");
	if (typeof value === "boolean") return value ? "yes" : "no";
	if (typeof value === "number" && name.endsWith("Ms"))
		return value > dates
			? new Date(value).toISOString().replace(/\.\d+Z$/, "Z")
			: durationText(value);
	return String(value);
}

/** Milliseconds beyond it are a date, below it a length of time: 2001. */
const dates = 1e12;

function separatorOf(list: readonly unknown[]): string {
	return list.some((one) => typeof one === "object") ? "; " : ", ";
}

function isEmpty(value: unknown): boolean {
	if (value === null || value === undefined || value === "") return true;
	return typeof value === "object" && Object.keys(value).length === 0;
}

/** connectionsMoved: "connections moved"; downtimeMs: "downtime", as its text has the unit. */
function labelOf(name: string): string {
	return name
		.replace(/Ms$/, "")
		.replace(/([a-z0-9])([A-Z])/g, (_, end: string, start: string) =>
			`${end} ${start}`.toLowerCase(),
		);
}

function shortened(text: string): string {
	return text.length <= cutLength ? text : `${text.slice(0, cutLength)}…`;
}
