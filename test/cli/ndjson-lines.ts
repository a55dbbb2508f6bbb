import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** The schema as it is shipped. */
export const eventSchema = JSON.parse(
	readFileSync(
		join(import.meta.dirname, "../../docs/schema/events.v1.json"),
		"utf8",
	),
);

const line = z.fromJSONSchema(eventSchema);

export interface Line {
	readonly type: string;
	readonly id?: number;
	// biome-ignore lint/suspicious/noExplicitAny: a test reads what it asserts on
	readonly [field: string]: any;
}

/** The lines of `-o ndjson`, each held to the schema: events in order, then one result or error, then nothing. */
export function ndjsonLines(stdout: string): readonly Line[] {
	if (!stdout.endsWith("\n")) throw new Error(`no whole line: ${stdout}`);
	const lines = stdout
		.trimEnd()
		.split("\n")
		.map((text): Line => {
			const read = line.safeParse(JSON.parse(text));
			if (!read.success) throw new Error(`${text}: ${read.error.message}`);
			return JSON.parse(text);
		});
	for (const [position, { type, id }] of lines.entries()) {
		const isLast = position === lines.length - 1;
		if (isLast !== (type === "result" || type === "error"))
			throw new Error(`line ${position + 1} is of type ${type}`);
		if (!isLast && id !== position + 1)
			throw new Error(`line ${position + 1} has the id ${id}`);
	}
	return lines;
}
