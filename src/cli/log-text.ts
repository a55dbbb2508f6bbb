import type { ChalkInstance } from "chalk";
import type { LogLine } from "../operations/logs/log-line.js";

/** A line for machines: the time as text. */
export function logEvent({ node, atMs, ...rest }: LogLine) {
	return {
		node,
		at: atMs === null ? null : new Date(atMs).toISOString(),
		...rest,
	};
}

/** A line for people: when, where, how bad, what. `width` is that of the longest name of a node. */
export function logText(
	line: LogLine,
	{ width, colours }: { width: number; colours: ChalkInstance },
): string {
	const { node, atMs, level, message, fields } = line;
	const time = atMs === null ? "-".padEnd(24) : new Date(atMs).toISOString();
	const rank = (level ?? "").toUpperCase().padEnd(5);
	const more = Object.entries(fields).map(
		([name, value]) => ` ${colours.dim(`${printable(name)}=`)}${shown(value)}`,
	);
	return [
		colours.dim(time),
		colours.cyan(node.padEnd(width)),
		colourOf(level, colours)(rank),
		`${printable(message)}${more.join("")}`,
	].join(" ");
}

function colourOf(level: string | null, colours: ChalkInstance) {
	if (level === "warn") return colours.yellow;
	if (level === "error" || level === "fatal") return colours.red;
	return colours.reset;
}

/** An error by its message; where it was thrown is in the other formats. */
function shown(value: unknown): string {
	const text = messageOf(value) ?? value;
	if (typeof text === "string" && /^[^\s"=]+$/.test(text))
		return printable(text);
	return printable(JSON.stringify(text) ?? "");
}

function messageOf(value: unknown): unknown {
	if (typeof value !== "object" || value === null) return undefined;
	const { message, stack } = value as { message?: unknown; stack?: unknown };
	return typeof stack === "string" ? message : undefined;
}

/** What came from elsewhere moves no cursor and begins no line of its own. */
function printable(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are meant
	return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (letter) =>
		letter === "\t"
			? " "
			: `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`,
	);
}
