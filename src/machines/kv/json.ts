import { MachineInputError, type MachineJson } from "../machine.js";
import {
	decodeAnswer,
	decodeCommand,
	decodeEvent,
	decodeResult,
	encodeCommand,
	encodeQuery,
	type KeyValueCommand,
	type KeyValueQuery,
} from "./codec.js";

/** Text where the bytes are UTF-8, else their base64. */
type JsonBytes = string | { readonly base64: string };

type Fields = Readonly<Record<string, unknown>>;

/** How the key-value machine's words look in JSON (docs/client-api.md). */
export const keyValueJson: MachineJson = {
	command: (json) => encodeCommand(commandOf(json)),
	readCommand(bytes) {
		const command = decodeCommand(bytes);
		const { op } = command;
		const key = jsonBytes(command.key);
		if (op === "delete") return { op, key };
		const value = jsonBytes(command.value);
		return op === "put"
			? { op, key, value }
			: { op, key, expect: command.expect, value };
	},
	query: (json) => encodeQuery(queryOf(json)),
	result(bytes) {
		const { op, ...result } = decodeResult(bytes);
		return op === "invalid" ? { invalid: true, ...result } : result;
	},
	answer(bytes) {
		const answer = decodeAnswer(bytes);
		if (answer.op === "list") {
			const items = answer.items.map(({ key, value, version }) => ({
				key: jsonBytes(key),
				value: jsonBytes(value),
				version,
			}));
			return { items, more: answer.more };
		}
		if (!answer.found) return { found: false };
		const { value, version } = answer;
		return { found: true, value: jsonBytes(value), version };
	},
	event(bytes) {
		const event = decodeEvent(bytes);
		const key = jsonBytes(event.key);
		return event.op === "put"
			? { op: "put", key, value: jsonBytes(event.value) }
			: { op: "delete", key };
	},
};

function commandOf(json: unknown): KeyValueCommand {
	const { op, ...fields } = fieldsOf(json, "a command");
	if (op === "put") {
		only(fields, ["key", "value"]);
		return {
			op,
			key: bytesOf(fields, "key"),
			value: bytesOf(fields, "value"),
		};
	}
	if (op === "delete") {
		only(fields, ["key"]);
		return { op, key: bytesOf(fields, "key") };
	}
	if (op === "cas") {
		only(fields, ["key", "expect", "value"]);
		return {
			op,
			key: bytesOf(fields, "key"),
			expect: fields.expect === null ? null : integerOf(fields, "expect"),
			value: bytesOf(fields, "value"),
		};
	}
	throw new MachineInputError('"op" of a command is "put", "delete" or "cas"');
}

function queryOf(json: unknown): KeyValueQuery {
	const { op, ...fields } = fieldsOf(json, "a query");
	if (op === "get") {
		only(fields, ["key"]);
		return { op, key: bytesOf(fields, "key") };
	}
	if (op === "list") {
		only(fields, ["prefix", "limit", "after"]);
		const { prefix, limit, after } = fields;
		return {
			op,
			prefix:
				prefix === undefined ? Buffer.alloc(0) : bytesOf(fields, "prefix"),
			limit: limit === undefined ? 100 : integerOf(fields, "limit"),
			after:
				after === undefined || after === null ? null : bytesOf(fields, "after"),
		};
	}
	throw new MachineInputError('"op" of a query is "get" or "list"');
}

function fieldsOf(json: unknown, what: string): Fields {
	if (typeof json !== "object" || json === null || Array.isArray(json))
		throw new MachineInputError(`${what} is a JSON object`);
	return json as Fields;
}

function only(fields: Fields, known: readonly string[]): void {
	const unknown = Object.keys(fields).find((name) => !known.includes(name));
	if (unknown !== undefined)
		throw new MachineInputError(
			`unknown field "${unknown}"; known are "op", ${known.map((name) => `"${name}"`).join(", ")}`,
		);
}

function integerOf(fields: Fields, name: string): number {
	const value = fields[name];
	if (typeof value !== "number" || !Number.isSafeInteger(value))
		throw new MachineInputError(`"${name}" is a whole number`);
	return value;
}

function bytesOf(fields: Fields, name: string): Buffer {
	const value = fields[name];
	if (typeof value === "string") {
		// Half of a surrogate pair has no UTF-8; it would be replaced in silence.
		if (/\p{Surrogate}/u.test(value))
			throw new MachineInputError(`"${name}" is no valid Unicode text`);
		return Buffer.from(value);
	}
	const base64 = base64Of(value);
	if (base64 === null)
		throw new MachineInputError(`"${name}" is text or {"base64": "..."}`);
	return base64;
}

function base64Of(value: unknown): Buffer | null {
	if (typeof value !== "object" || value === null) return null;
	const { base64, ...rest } = value as Fields;
	if (typeof base64 !== "string" || Object.keys(rest).length > 0) return null;
	const bytes = Buffer.from(base64, "base64");
	// Buffer skips what is not base64; only the exact spelling is meant.
	return bytes.toString("base64") === base64 ? bytes : null;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function jsonBytes(bytes: Buffer): JsonBytes {
	// Bytes that are not UTF-8 come back as the replacement character, which is rare: only then look closer.
	const text = bytes.toString("utf8");
	if (!text.includes("\ufffd")) return text;
	try {
		return utf8.decode(bytes);
	} catch {
		return { base64: bytes.toString("base64") };
	}
}
