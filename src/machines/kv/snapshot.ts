import { ByteReader, ByteWriter } from "../byte-cursor.js";
import { Gatherer } from "../gatherer.js";
import { MachineInputError, type StateRestorer } from "../machine.js";
import { OrderedItems } from "./ordered-items.js";
import { itemHeaderBytes, itemMark, keyAt } from "./records.js";

/**
 * The state in bytes: a magic, then the items' records (records.ts) in the order of their keys, then an end with their
 * count. Equal states are equal bytes, whatever commands led to them. Chunks may be cut anew on the way.
 *
 * The end: u8 0 | u48 count.
 */
const magic = Buffer.from("raftctl-kv/1\n");
const endMark = 0;
const endBytes = 7;

const nothing = Buffer.alloc(0);
const chunkBytes = 64 * 1024;

/** Yields chunks of at most 64 KiB; a record that does not fit one is a chunk of its own, as it lies in the state. */
export function* encodeSnapshot(items: OrderedItems): Generator<Uint8Array> {
	const { records } = items;
	let chunk = Buffer.allocUnsafeSlow(chunkBytes);
	let at = magic.copy(chunk);
	for (const places of items.runs()) {
		for (const place of places) {
			const start = records.start(place);
			const end = start + records.size(place);
			if (end - start > chunkBytes - at && at > 0) {
				yield chunk.subarray(0, at);
				chunk = Buffer.allocUnsafeSlow(chunkBytes);
				at = 0;
			}
			const bytes = records.bytesAt(place);
			if (end - start > chunkBytes) yield bytes.subarray(start, end);
			else at += bytes.copy(chunk, at, start, end);
		}
	}
	if (at > 0) yield chunk.subarray(0, at);
	yield new ByteWriter(endBytes).u8(endMark).u48(items.size).bytes;
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
		this.#items.append(key, version, bytes, valueAt, end);
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
