/** Text that is not JSON, or nested too deep; the message says where. */
export class JsonTextError extends Error {
	override readonly name = "JsonTextError";
}

/** A machine may walk what it is given recursively. */
const maxDepth = 128;

/** Parses UTF-8 JSON. Throws JsonTextError that names line and column. */
export function parseJson(bytes: Uint8Array): unknown {
	const text = decode(bytes);
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		// The engine's own message names the place only now and then.
		const at = firstMistake(text);
		const what = at >= text.length ? "it ends too early" : "it is no JSON";
		throw new JsonTextError(`${what} at ${placeOf(text, at)}`);
	}
	const tooDeep = firstTooDeep(text);
	if (tooDeep !== null)
		throw new JsonTextError(
			`it is nested deeper than ${maxDepth} at ${placeOf(text, tooDeep)}`,
		);
	return value;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: Uint8Array): string {
	try {
		return utf8.decode(bytes);
	} catch {
		throw new JsonTextError("it is no UTF-8");
	}
}

const token =
	/[ \t\r\n]*(?:([{}[\],:])|("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

type Expected =
	| "value"
	| "first-item"
	| "first-name"
	| "name"
	| "colon"
	| "more";

/** The offset of the first token that cannot stand where it does; the text's length when only the rest is missing. */
function firstMistake(text: string): number {
	const open: string[] = [];
	let expected: Expected = "value";
	token.lastIndex = 0;
	for (;;) {
		const start = afterSpace(text, token.lastIndex);
		if (expected === "more" && open.length === 0) return start;
		const match = token.exec(text);
		if (match === null) return start;
		const next = step(expected, match[1] ?? (match[2] ? '"' : "0"), open);
		if (next === null) return start;
		expected = next;
	}
}

function step(
	expected: Expected,
	sign: string,
	open: string[],
): Expected | null {
	switch (expected) {
		case "colon":
			return sign === ":" ? "value" : null;
		case "name":
		case "first-name":
			if (sign === '"') return "colon";
			return expected === "first-name" ? closed(sign, open) : null;
		case "more":
			if (sign === ",") return open.at(-1) === "{" ? "name" : "value";
			return closed(sign, open);
		default:
			return value(expected, sign, open);
	}
}

function value(
	expected: Expected,
	sign: string,
	open: string[],
): Expected | null {
	if (sign === "{" || sign === "[") {
		open.push(sign);
		return sign === "{" ? "first-name" : "first-item";
	}
	if (sign === "0" || sign === '"') return "more";
	return expected === "first-item" ? closed(sign, open) : null;
}

function closed(sign: string, open: string[]): Expected | null {
	if (sign !== (open.at(-1) === "{" ? "}" : "]")) return null;
	open.pop();
	return "more";
}

function afterSpace(text: string, at: number): number {
	let start = at;
	while (start < text.length && " \t\r\n".includes(text[start] as string))
		start += 1;
	return start;
}

/** Of valid JSON: where it goes too deep, or null. */
function firstTooDeep(text: string): number | null {
	let depth = 0;
	let quoted = false;
	for (let at = 0; at < text.length; at += 1) {
		const code = text.charCodeAt(at);
		if (quoted) {
			if (code === 0x5c) at += 1;
			else if (code === 0x22) quoted = false;
		} else if (code === 0x22) quoted = true;
		else if (code === 0x7b || code === 0x5b) {
			depth += 1;
			if (depth > maxDepth) return at;
		} else if (code === 0x7d || code === 0x5d) depth -= 1;
	}
	return null;
}

function placeOf(text: string, at: number): string {
	const lines = text.slice(0, at).split("\n");
	return `line ${lines.length}, column ${(lines.at(-1) as string).length + 1}`;
}
