import { ByteWriter } from "../byte-cursor.js";
import {
	type ApplyContext,
	defineMachine,
	type Machine,
	MachineInputError,
} from "../machine.js";
import {
	decodeCommand,
	decodeQuery,
	encodeAnswer,
	encodeEvent,
	encodeResult,
	type KeyValueAnswer,
	type KeyValueCommand,
	type KeyValueItem,
	type KeyValueQuery,
	keyEndOfPut,
	keyStartOfPut,
} from "./codec.js";
import { keyValueJson } from "./json.js";
import { OrderedItems } from "./ordered-items.js";
import {
	decodeSnapshot,
	encodeSnapshot,
	SnapshotRestorer,
} from "./snapshot.js";

/** Checked before the log sees a command; a command in the log is executed whatever its size. */
interface KeyValueLimits {
	readonly maxKeyBytes: number;
	readonly maxValueBytes: number;
}

const defaultLimits: KeyValueLimits = {
	maxKeyBytes: 1024,
	maxValueBytes: 1024 * 1024,
};

/** A list ends early, with `more`, rather than grow past this; it always has at least one item. */
const maxListBytes = 1024 * 1024;

/** The bundled machine: keys and values are any bytes, and a key's version is the index of its last change. */
export function createKeyValueMachine(
	limits: Partial<KeyValueLimits> = {},
): Machine<OrderedItems> {
	const { maxKeyBytes, maxValueBytes } = { ...defaultLimits, ...limits };
	return defineMachine<OrderedItems>({
		name: "kv",
		levels: { reads: [1, 1], writes: 1 },
		create: () => new OrderedItems(),
		apply,
		query: (items, bytes) => encodeAnswer(answer(items, decodeQuery(bytes))),
		validate(bytes) {
			const sizes = sizesOf(bytes);
			if (typeof sizes === "string") return sizes;
			if (sizes.key > maxKeyBytes)
				return `the key has ${sizes.key} bytes, the limit is ${maxKeyBytes}`;
			if (sizes.value > maxValueBytes)
				return `the value has ${sizes.value} bytes, the limit is ${maxValueBytes}`;
			return null;
		},
		// Frozen at the call, not when the first chunk is asked for.
		snapshot: (items) => encodeSnapshot(items.frozen()),
		restore: decodeSnapshot,
		restorer: () => new SnapshotRestorer(),
		digest: digestOf,
		json: keyValueJson,
	});
}

export const kv: Machine<OrderedItems> = createKeyValueMachine();

/** Total, as every node must come to the same result for the same bytes: a malformed command has one, too. */
function apply(
	items: OrderedItems,
	bytes: Uint8Array,
	context: ApplyContext,
): Uint8Array {
	const buffer = bufferOf(bytes);
	// Nearly every command is a put: no view is made of its parts.
	const keyEnd = keyEndOfPut(buffer);
	if (keyEnd > 0) {
		const key = buffer.toString("latin1", keyStartOfPut, keyEnd);
		const { index } = context;
		items.set(key, index, buffer, keyEnd, buffer.length);
		context.emit(bytes);
		return encodeResult({ op: "put", version: index });
	}
	const command = parsed(buffer);
	if (typeof command === "string")
		return encodeResult({ op: "invalid", message: command });
	if (command.op === "cas") return swap(items, command, context);
	if (command.op === "delete") return remove(items, command, bytes, context);
	throw new Error("invariant: a put that has no key");
}

function swap(
	items: OrderedItems,
	command: Extract<KeyValueCommand<Buffer>, { op: "cas" }>,
	context: ApplyContext,
): Uint8Array {
	const { value } = command;
	const { index } = context;
	const key = command.key.toString("latin1");
	const version = items.version(key) ?? 0;
	if (version !== (command.expect ?? 0))
		return encodeResult({ op: "cas", swapped: false, version });
	items.set(key, index, value);
	context.emit(encodeEvent({ ...command, op: "put" }));
	return encodeResult({ op: "cas", swapped: true, version: index });
}

function remove(
	items: OrderedItems,
	command: Pick<KeyValueCommand<Buffer>, "key">,
	bytes: Uint8Array,
	context: ApplyContext,
): Uint8Array {
	const deleted = items.delete(command.key.toString("latin1"));
	if (deleted) context.emit(bytes);
	return encodeResult({ op: "delete", deleted });
}

/** Kept up to date with every change, so that it costs the same for any number of items. */
function digestOf(items: OrderedItems): Uint8Array {
	return new ByteWriter(14).u32(items.low).u32(items.high).u48(items.size)
		.bytes;
}

function answer(
	items: OrderedItems,
	query: KeyValueQuery<Buffer>,
): KeyValueAnswer {
	if (query.op === "list") return list(items, query);
	const item = items.get(query.key.toString("latin1"));
	if (item === null) return { op: "get", found: false };
	const { value, version } = item;
	return { op: "get", found: true, value, version };
}

function list(
	items: OrderedItems,
	query: Extract<KeyValueQuery<Buffer>, { op: "list" }>,
): KeyValueAnswer {
	const prefix = query.prefix.toString("latin1");
	const after = query.after?.toString("latin1") ?? null;
	const found: KeyValueItem[] = [];
	let bytes = 0;
	for (const [key, item] of items.from(
		after !== null && after > prefix ? after : prefix,
	)) {
		if (key === after) continue;
		if (!key.startsWith(prefix)) break;
		bytes += key.length + item.value.length;
		const full = found.length === query.limit || bytes > maxListBytes;
		if (full && found.length > 0)
			return { op: "list", items: found, more: true };
		const { value, version } = item;
		found.push({
			key: Buffer.from(key, "latin1"),
			value,
			version,
		});
	}
	return { op: "list", items: found, more: false };
}

/** How many bytes the command's parts have, or why it is none. */
function sizesOf(bytes: Uint8Array) {
	const keyEnd = keyEndOfPut(bytes);
	if (keyEnd > 0)
		return { key: keyEnd - keyStartOfPut, value: bytes.length - keyEnd };
	const command = parsed(bytes);
	if (typeof command === "string") return command;
	const value = command.op === "delete" ? 0 : command.value.length;
	return { key: command.key.length, value };
}

/** The command, or why the bytes are none. */
function parsed(bytes: Uint8Array): KeyValueCommand<Buffer> | string {
	try {
		return decodeCommand(bytes);
	} catch (error) {
		if (error instanceof MachineInputError) return error.message;
		throw error;
	}
}

function bufferOf(bytes: Uint8Array): Buffer {
	return Buffer.isBuffer(bytes)
		? bytes
		: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
