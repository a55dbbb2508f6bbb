import type { Operation } from "./operation.js";

/**
 * Histories as tests write them, one operation a line: `client start-end op arguments = output`. An end of `?` is an
 * outcome that nobody knows, `x` in place of the output a definite failure.
 */
export function parseHistory(text: string): Operation[] {
	return text
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "")
		.map(operation);
}

const shape = /^(\S+) (\d+)-(\d+|\?) (\w+)((?: -?\w+)*?)(?: = (.+))?$/;

function operation(line: string): Operation {
	const match = shape.exec(line);
	if (match === null) throw new Error(`not an operation: ${line}`);
	const [, client = "", start, end, op = "", words = "", told] = match;
	const values = words
		.split(" ")
		.filter((word) => word !== "")
		.map((word) => JSON.parse(word));
	const input = { op, ...fields(op, values) };
	const startedAtMs = Number(start);
	if (end === "?") {
		const ending = { kind: "unknown", atMs: startedAtMs } as const;
		return { client, input, startedAtMs, ending };
	}
	const atMs = Number(end);
	if (told === "x")
		return { client, input, startedAtMs, ending: { kind: "failed", atMs } };
	const output = told === undefined ? true : JSON.parse(told);
	return { client, input, startedAtMs, ending: { kind: "done", atMs, output } };
}

function fields(op: string, [first, second]: unknown[]): object {
	if (op === "write") return { value: first };
	if (op === "swap") return { expect: first, value: second };
	return op === "append" ? { element: first } : {};
}
