import { ByteReader, ByteWriter } from "../byte-cursor.js";
import { MachineInputError } from "../machine.js";
import {
	type BytesOrText,
	type KeyValueAnswer,
	type KeyValueCommand,
	type KeyValueEvent,
	type KeyValueQuery,
	type KeyValueResult,
	maxListLimit,
} from "./words.js";

export * from "./words.js";

const Code = {
	put: 1,
	delete: 2,
	cas: 3,
	get: 1,
	list: 2,
	invalid: 0,
} as const;

export function encodeCommand(command: KeyValueCommand<BytesOrText>): Buffer {
	const key = keyBytes(command.key);
	if (command.op === "delete") {
		return new ByteWriter(3 + key.length)
			.u8(Code.delete)
			.bytes16(key, "the key").bytes;
	}
	const value = bytesOf(command.value);
	if (command.op === "put") {
		return new ByteWriter(3 + key.length + value.length)
			.u8(Code.put)
			.bytes16(key, "the key")
			.raw(value).bytes;
	}
	return new ByteWriter(10 + key.length + value.length)
		.u8(Code.cas)
		.flag(command.expect !== null)
		.u48(command.expect ?? 0)
		.bytes16(key, "the key")
		.raw(value).bytes;
}

/** Where the key of a put lies in the command: from here to `keyEndOfPut`; the value is the rest. */
export const keyStartOfPut = 3;

/** 0 for any other command, and for what is none. */
export function keyEndOfPut(command: Uint8Array): number {
	if (command.length < keyStartOfPut || command[0] !== Code.put) return 0;
	const keyBytes = (command[1] as number) | ((command[2] as number) << 8);
	const end = keyStartOfPut + keyBytes;
	return keyBytes > 0 && end <= command.length ? end : 0;
}

export function decodeCommand(bytes: Uint8Array): KeyValueCommand<Buffer> {
	const reader = new ByteReader(bytes);
	const code = reader.u8("the command");
	if (code === Code.put)
		return { op: "put", key: readKey(reader), value: reader.rest() };
	if (code === Code.delete) {
		const key = readKey(reader);
		reader.end("key");
		return { op: "delete", key };
	}
	if (code === Code.cas) {
		const present = reader.flag("the expectation");
		const version = reader.u48("the version");
		if (!present && version !== 0)
			throw new MachineInputError("a version is given but not expected");
		const key = readKey(reader);
		return {
			op: "cas",
			key,
			expect: present ? version : null,
			value: reader.rest(),
		};
	}
	throw new MachineInputError(`no command has the code ${code}`);
}

export function encodeQuery(query: KeyValueQuery<BytesOrText>): Buffer {
	if (query.op === "get") {
		const key = keyBytes(query.key);
		return new ByteWriter(3 + key.length).u8(Code.get).bytes16(key, "the key")
			.bytes;
	}
	const prefix = bytesOf(query.prefix);
	const after = query.after === null ? new Uint8Array() : bytesOf(query.after);
	return new ByteWriter(10 + prefix.length + after.length)
		.u8(Code.list)
		.u32(checkedLimit(query.limit))
		.bytes16(prefix, "the prefix")
		.flag(query.after !== null)
		.bytes16(after, "the key to begin after").bytes;
}

export function decodeQuery(bytes: Uint8Array): KeyValueQuery<Buffer> {
	const reader = new ByteReader(bytes);
	const code = reader.u8("the query");
	if (code === Code.get) {
		const key = readKey(reader);
		reader.end("key");
		return { op: "get", key };
	}
	if (code === Code.list) {
		const limit = checkedLimit(reader.u32("the limit"));
		const prefix = reader.bytes16("the prefix");
		const present = reader.flag("the mark of the key to begin after");
		const after = reader.bytes16("the key to begin after");
		if (!present && after.length > 0)
			throw new MachineInputError("a key to begin after is given but not used");
		reader.end("key to begin after");
		return { op: "list", prefix, limit, after: present ? after : null };
	}
	throw new MachineInputError(`no query has the code ${code}`);
}

export function encodeResult(result: KeyValueResult): Buffer {
	if (result.op === "put")
		return new ByteWriter(7).u8(Code.put).u48(result.version).bytes;
	if (result.op === "delete")
		return new ByteWriter(2).u8(Code.delete).flag(result.deleted).bytes;
	if (result.op === "cas") {
		return new ByteWriter(8)
			.u8(Code.cas)
			.flag(result.swapped)
			.u48(result.version).bytes;
	}
	const message = Buffer.from(result.message);
	return new ByteWriter(1 + message.length).u8(Code.invalid).raw(message).bytes;
}

export function decodeResult(bytes: Uint8Array): KeyValueResult {
	const reader = new ByteReader(bytes);
	const code = reader.u8("the result");
	if (code === Code.invalid)
		return { op: "invalid", message: reader.rest().toString("utf8") };
	const result = readResult(reader, code);
	reader.end("result");
	return result;
}

function readResult(reader: ByteReader, code: number): KeyValueResult {
	if (code === Code.put)
		return { op: "put", version: reader.u48("the version") };
	if (code === Code.delete)
		return { op: "delete", deleted: reader.flag("the outcome") };
	if (code === Code.cas) {
		return {
			op: "cas",
			swapped: reader.flag("the outcome"),
			version: reader.u48("the version"),
		};
	}
	throw new MachineInputError(`no result has the code ${code}`);
}

export function encodeAnswer(answer: KeyValueAnswer): Buffer {
	if (answer.op === "get") {
		if (!answer.found) return new ByteWriter(2).u8(Code.get).flag(false).bytes;
		return new ByteWriter(8 + answer.value.length)
			.u8(Code.get)
			.flag(true)
			.u48(answer.version)
			.raw(answer.value).bytes;
	}
	const size = answer.items.reduce(
		(sum, { key, value }) => sum + 12 + key.length + value.length,
		6,
	);
	const writer = new ByteWriter(size).u8(Code.list).flag(answer.more);
	writer.u32(answer.items.length);
	for (const { key, value, version } of answer.items)
		writer.bytes16(key, "the key").bytes32(value).u48(version);
	return writer.bytes;
}

export function decodeAnswer(bytes: Uint8Array): KeyValueAnswer<Buffer> {
	const reader = new ByteReader(bytes);
	const code = reader.u8("the answer");
	if (code === Code.get) return readGetAnswer(reader);
	if (code !== Code.list)
		throw new MachineInputError(`no answer has the code ${code}`);
	const more = reader.flag("the mark of more");
	const count = reader.u32("the count");
	if (count > maxListLimit)
		throw new MachineInputError(`a list of ${count} is over the limit`);
	const items = Array.from({ length: count }, () => ({
		key: reader.bytes16("a key"),
		value: reader.bytes32("a value"),
		version: reader.u48("a version"),
	}));
	reader.end("list");
	return { op: "list", items, more };
}

function readGetAnswer(reader: ByteReader): KeyValueAnswer<Buffer> {
	if (!reader.flag("the mark of a find")) {
		reader.end("answer");
		return { op: "get", found: false };
	}
	const version = reader.u48("the version");
	return { op: "get", found: true, value: reader.rest(), version };
}

/** A change is told as the command that makes it. */
export function encodeEvent(event: KeyValueEvent<BytesOrText>): Buffer {
	return encodeCommand(event);
}

export function decodeEvent(bytes: Uint8Array): KeyValueEvent<Buffer> {
	const event = decodeCommand(bytes);
	if (event.op === "cas") throw new MachineInputError("a swap is no event");
	return event;
}

function readKey(reader: ByteReader): Buffer {
	return checkedKey(reader.bytes16("the key"));
}

function keyBytes(key: BytesOrText): Uint8Array {
	return checkedKey(bytesOf(key));
}

function checkedKey<Bytes extends Uint8Array>(key: Bytes): Bytes {
	if (key.length === 0) throw new MachineInputError("the key is empty");
	return key;
}

function checkedLimit(limit: number): number {
	if (!Number.isInteger(limit) || limit < 1 || limit > maxListLimit)
		throw new MachineInputError(`the limit is ${limit}, not 1 to 1000`);
	return limit;
}

function bytesOf(value: BytesOrText): Uint8Array {
	return typeof value === "string" ? Buffer.from(value) : value;
}
