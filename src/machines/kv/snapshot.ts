import { ByteReader, ByteWriter } from "../byte-cursor.js";
import { Gatherer } from "../gatherer.js";
import { MachineInputError, type StateRestorer } from "../machine.js";
import { itemOf } from "./item.js";
import { type Item, OrderedItems } from "./ordered-items.js";

/**
 * The state in bytes: a magic, then the items in the order of their keys, then an end with their count. Equal states
 * are equal bytes, whatever commands led to them. Chunks may be cut anew on the way.
 *
 * An item: u8 1 | u48 version | u16 key length | key | u32 value length | value. The end: u8 0 | u48 count.
 */
const magic = Buffer.from("raftctl-kv/1\n");
const itemMark = 1;
const endMark = 0;
const keyAt = 9;
const itemHeaderBytes = keyAt + 4;
const endBytes = 7;

const nothing = Buffer.alloc(0);
const chunkBytes = 64 * 1024;
/** What an item takes before its value, at most. */
const keyRoom = itemHeaderBytes + 0xffff;
/** A native copy costs more than its bytes below this. */
const shortText = 24;

/** Yields chunks of at most 64 KiB; a value that does not fit one is a chunk of its own, as it lies in the state. */
export function* encodeSnapshot(items: OrderedItems): Generator<Uint8Array> {
	let chunk = Buffer.allocUnsafeSlow(chunkBytes);
	let at = magic.copy(chunk);
	for (const { keys, items: values } of items.runs()) {
		for (let place = 0; place < keys.length; place++) {
			const key = keys[place] as string;
			const item = values[place] as Item;
			const bytes = itemHeaderBytes + key.length + item.value.length;
			if (bytes > chunkBytes - at) {
				if (at > 0) yield chunk.subarray(0, at);
				chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, keyRoom));
				at = 0;
			}
			at = writeHeader(chunk, at, key, item);
			if (bytes <= chunkBytes) at = writeValue(chunk, at, item.value);
			else {
				yield chunk.subarray(0, at);
				yield bytesOf(item.value);
				chunk = Buffer.allocUnsafeSlow(chunkBytes);
				at = 0;
			}
		}
	}
	if (at > 0) yield chunk.subarray(0, at);
	yield new ByteWriter(endBytes).u8(endMark).u48(items.size).bytes;
}

function writeHeader(
	chunk: Buffer,
	start: number,
	key: string,
	{ value, version }: Item,
): number {
	let at = start;
	chunk[at++] = itemMark;
	at = write32(chunk, at, version);
	const high = Math.floor(version / 2 ** 32);
	chunk[at++] = high;
	chunk[at++] = high >>> 8;
	chunk[at++] = key.length;
	chunk[at++] = key.length >>> 8;
	return write32(chunk, writeText(chunk, at, key), value.length);
}

function write32(chunk: Buffer, start: number, value: number): number {
	chunk[start] = value;
	chunk[start + 1] = value >>> 8;
	chunk[start + 2] = value >>> 16;
	chunk[start + 3] = value >>> 24;
	return start + 4;
}

function writeValue(chunk: Buffer, at: number, value: Item["value"]): number {
	if (typeof value === "string") return writeText(chunk, at, value);
	chunk.set(value, at);
	return at + value.length;
}

function writeText(chunk: Buffer, start: number, text: string): number {
	const { length } = text;
	if (length > shortText)
		return start + chunk.write(text, start, length, "latin1");
	for (let at = 0; at < length; at++) chunk[start + at] = text.charCodeAt(at);
	return start + length;
}

function bytesOf(value: Item["value"]): Uint8Array {
	return typeof value === "string" ? Buffer.from(value, "latin1") : value;
}

/** Throws MachineInputError when the chunks are not one whole snapshot. */
export function decodeSnapshot(chunks: Iterable<Uint8Array>): OrderedItems {
	const restorer = new SnapshotRestorer();
	for (const chunk of chunks) restorer.write(chunk);
	return restorer.finish();
}

/** Builds the state while its snapshot arrives. Throws MachineInputError for what is no snapshot. */
export class SnapshotRestorer implements StateRestorer<OrderedItems> {
	readonly #items = new OrderedItems();
	readonly #gatherer = new Gatherer();
	#previous = "";
	#state: "magic" | "items" | "ended" = "magic";

	constructor() {
		this.#gatherer.keep(nothing, magic.length);
	}

	write(chunk: Uint8Array): void {
		const bytes = this.#gatherer.add(chunk);
		if (bytes === null) return;
		let at = this.#state === "magic" ? this.#readMagic(bytes) : 0;
		while (this.#state === "items" && at < bytes.length) {
			const end = recordEnd(bytes, at);
			if (end > bytes.length) {
				this.#gatherer.keep(bytes.subarray(at), end - at);
				return;
			}
			this.#readRecord(bytes, at, end);
			at = end;
		}
		if (at < bytes.length)
			throw new MachineInputError("bytes follow the end of the snapshot");
		this.#gatherer.keep(nothing, 1);
	}

	finish(): OrderedItems {
		if (this.#state !== "ended")
			throw new MachineInputError("the snapshot is cut short");
		return this.#items;
	}

	#readMagic(bytes: Buffer): number {
		if (!bytes.subarray(0, magic.length).equals(magic))
			throw new MachineInputError("this is no snapshot of a key-value machine");
		this.#state = "items";
		return magic.length;
	}

	#readRecord(bytes: Buffer, at: number, end: number): void {
		if (bytes[at] === endMark) {
			const count = new ByteReader(bytes.subarray(at + 1, end)).u48("a count");
			if (count !== this.#items.size)
				throw new MachineInputError(
					`the snapshot ends with a count of ${count} after ${this.#items.size} items`,
				);
			this.#state = "ended";
			return;
		}
		const version = bytes.readUIntLE(at + 1, 6);
		const valueAt = at + keyAt + bytes.readUInt16LE(at + 7) + 4;
		const key = bytes.toString("latin1", at + keyAt, valueAt - 4);
		// Anything else than rising keys would make two nodes with equal states differ.
		if (key <= this.#previous)
			throw new MachineInputError("the snapshot's keys do not rise");
		this.#previous = key;
		this.#items.append(key, itemOf(key, version, bytes, valueAt, end));
	}
}

/** Where the record at `at` ends; beyond the bytes, where it takes at least so many to tell. */
function recordEnd(bytes: Buffer, at: number): number {
	const mark = bytes[at] as number;
	if (mark === endMark) return at + endBytes;
	if (mark !== itemMark)
		throw new MachineInputError(`the snapshot has an unknown mark ${mark}`);
	if (at + itemHeaderBytes > bytes.length) return at + itemHeaderBytes;
	const lengthAt = at + keyAt + bytes.readUInt16LE(at + 7);
	if (lengthAt + 4 > bytes.length) return lengthAt + 4;
	return lengthAt + 4 + bytes.readUInt32LE(lengthAt);
}
