import { MachineInputError } from "../machine.js";
import { ByteReader, ByteWriter } from "./byte-cursor.js";
import { type Item, OrderedItems } from "./ordered-items.js";
import { load, store } from "./stored-bytes.js";

/**
 * The state in bytes: a magic, then the items in the order of their keys, then an end with their count. Equal states
 * are equal bytes, whatever commands led to them. Chunks may be cut anew on the way.
 */
const magic = Buffer.from("raftctl-kv/1\n");
const itemMark = 1;
const endMark = 0;
/** Mark, key length, value length, version; and the end's mark and count. */
const itemHeaderBytes = 13;
const endBytes = 7;

const chunkBytes = 64 * 1024;

/** Yields chunks of about 64 KiB; a value that is larger makes a larger chunk. */
export function* encodeSnapshot(items: OrderedItems): Generator<Uint8Array> {
	let parts: Uint8Array[] = [magic];
	let size = magic.length;
	for (const [key, item] of items.from("")) {
		const part = encodeItem(key, item);
		parts.push(part);
		size += part.length;
		if (size < chunkBytes) continue;
		yield Buffer.concat(parts);
		parts = [];
		size = 0;
	}
	parts.push(new ByteWriter(endBytes).u8(endMark).u48(items.size).bytes);
	yield Buffer.concat(parts);
}

/** Throws MachineInputError when the chunks are not one whole snapshot. */
export function decodeSnapshot(chunks: Iterable<Uint8Array>): OrderedItems {
	const source = new ChunkReader(chunks);
	if (!source.next(magic.length).equals(magic))
		throw new MachineInputError("this is no snapshot of a key-value machine");
	const items = new OrderedItems();
	let previous = "";
	while (source.mark() === itemMark) {
		const [key, item] = decodeItem(source);
		// Anything else than rising keys would make two nodes with equal states differ.
		if (key <= previous)
			throw new MachineInputError("the snapshot's keys do not rise");
		items.set(key, item);
		previous = key;
	}
	const count = new ByteReader(source.next(endBytes - 1)).u48("the count");
	if (count !== items.size || !source.atEnd())
		throw new MachineInputError(
			`the snapshot ends with a count of ${count} after ${items.size} items`,
		);
	return items;
}

function encodeItem(key: string, { value, version }: Item): Buffer {
	const writer = new ByteWriter(itemHeaderBytes + key.length + value.length);
	return writer
		.u8(itemMark)
		.u48(version)
		.bytes16(Buffer.from(key, "latin1"), "a key")
		.bytes32(load(value)).bytes;
}

function decodeItem(source: ChunkReader): readonly [string, Item] {
	const head = new ByteReader(source.next(8));
	const version = head.u48("a version");
	const key = source.next(head.u16("a key")).toString("latin1");
	const valueBytes = new ByteReader(source.next(4)).u32("a value");
	return [key, { version, value: store(source.next(valueBytes)) }];
}

/** Takes runs of bytes from chunks that were cut anywhere. */
class ChunkReader {
	readonly #chunks: Iterator<Uint8Array>;
	#held: Buffer = Buffer.alloc(0);

	constructor(chunks: Iterable<Uint8Array>) {
		this.#chunks = chunks[Symbol.iterator]();
	}

	mark(): number {
		const mark = this.next(1)[0] as number;
		if (mark > itemMark)
			throw new MachineInputError(`the snapshot has an unknown mark ${mark}`);
		return mark;
	}

	next(length: number): Buffer {
		if (this.#held.length < length) this.#gather(length);
		const taken = this.#held.subarray(0, length);
		this.#held = this.#held.subarray(length);
		return taken;
	}

	atEnd(): boolean {
		while (this.#held.length === 0) {
			const chunk = this.#chunks.next();
			if (chunk.done) return true;
			this.#held = Buffer.from(chunk.value);
		}
		return false;
	}

	#gather(length: number): void {
		const parts: Uint8Array[] = [this.#held];
		let size = this.#held.length;
		while (size < length) {
			const chunk = this.#chunks.next();
			if (chunk.done) throw new MachineInputError("the snapshot is cut short");
			parts.push(chunk.value);
			size += chunk.value.length;
		}
		this.#held = Buffer.concat(parts, size);
	}
}
