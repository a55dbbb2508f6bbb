import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { describe } from "vitest";
import {
	blockBytes,
	decodeBlock,
	decodeConfiguration,
	encodeBlock,
	encodeConfiguration,
} from "../../src/raft/codec.js";
import type { Entry, EntryKind } from "../../src/raft/types.js";
import { walkBlock } from "../../src/storage/block.js";
import { decodeMarker } from "../../src/storage/marker.js";
import {
	contentsAreWhole,
	decodeHardState,
	decodeReset,
	encodeHardState,
	encodeRecord,
	encodeReset,
	type Item,
	ItemKind,
	RecordType,
	readRecord,
	recordBytes,
} from "../../src/storage/record.js";
import {
	dataStart,
	decodeSegmentHeader,
	readFloor,
} from "../../src/storage/segment.js";
import type { Random } from "../sim/random.js";
import { allocated } from "./allocation.js";
import { fuzz, outcome } from "./fuzz.js";
import { mutatedJson } from "./json-mutations.js";
import { garbage, mutated } from "./mutations.js";
import { expectSafe, largest48, u48 } from "./numbers.js";

function block(random: Random): Buffer {
	const first = Math.min(1 + u48(random), largest48 - 10);
	const entries = Array.from({ length: random.below(6) }, (_, at): Entry => {
		const kind = random.below(6) as EntryKind;
		const data = garbage(random, random.below(30));
		const level = random.below(256);
		return { index: first + at, term: u48(random), kind, level, data };
	});
	const bytes = Buffer.alloc(blockBytes(entries));
	encodeBlock(entries, bytes, 0);
	return bytes;
}

const seed = 7;

function item(random: Random): Item {
	const kind = random.pick(Object.values(ItemKind));
	const first = u48(random);
	const parts = [garbage(random, random.below(60)), block(random)];
	return { kind, first, last: first, parts };
}

/** A segment's bytes with one record at its end, and where that begins. */
function segment(random: Random): { bytes: Buffer; at: number } {
	const items = Array.from({ length: random.below(4) }, () => item(random));
	const at = 512 * random.below(3);
	const bytes = Buffer.alloc(at + recordBytes(items));
	const chain = { seed, previous: 1, offset: at };
	encodeRecord(bytes.subarray(at), RecordType.group, items, chain);
	return { bytes, at };
}

/** As if a program had written nonsense: the sum over header and table fits, whatever they say. */
function resummed(bytes: Buffer, at: number): Buffer {
	if (bytes.length < at + 24) return bytes;
	const table = Math.min(
		bytes.length,
		at + 24 + 24 * bytes.readUInt16LE(at + 14),
	);
	bytes.writeUInt32LE(crc32(bytes.subarray(at + 4, table), seed), at);
	return bytes;
}

describe("a record of the log", () => {
	fuzz("is none, or lies within its segment", 2_000, (random) => {
		const { bytes: sound, at } = segment(random);
		assert(readRecord(sound, at, seed) !== null);
		const changed = mutated(sound, random, segment(random).bytes);
		const bytes = random.chance(0.7) ? resummed(changed, at) : changed;
		const record = readRecord(bytes, at, seed);
		if (record === null) return;
		expectSafe(record);
		for (const { offset, bytes: length } of record.items)
			assert(offset >= at + 24 && offset + length <= bytes.length);
		assert(record.end > at);
		contentsAreWhole(bytes, record, seed);
	});

	fuzz("is none at an offset where none was written", 300, (random) => {
		const { bytes, at } = segment(random);
		for (let other = 0; other < bytes.length; other += 1)
			if (other !== at) assert.equal(readRecord(bytes, other, seed), null);
	});
});

describe("a block of entries", () => {
	fuzz("is refused, or says what its bytes say", 2_500, (random) => {
		const bytes = mutated(block(random), random, block(random));
		const { value, bytes: made } = allocated(() =>
			outcome(() => decodeBlock(bytes), RangeError),
		);
		assert(made <= 64);
		const walked = walk(bytes);
		if ("refused" in value) {
			assert.equal(walked, null);
			return;
		}
		expectSafe(value.value);
		const again = Buffer.alloc(blockBytes(value.value));
		encodeBlock(value.value, again, 0);
		assert.deepEqual(again, bytes);
		const entries = value.value.map(({ index, term, kind }) => [
			...[index, term, kind],
		]);
		assert.deepEqual(walked, entries);
	});
});

/** The same block as the log reads it back; it must not tell another story. */
function walk(bytes: Buffer): number[][] | null {
	const first = bytes.length < 6 ? 1 : bytes.readUIntLE(0, 6);
	const found: number[][] = [];
	const result = outcome(
		() =>
			walkBlock(bytes, first, null, (index, term, kind) =>
				found.push([index, term, kind]),
			),
		RangeError,
	);
	return "refused" in result || first === 0 ? null : found;
}

describe("what else lies in the log", () => {
	fuzz("is a hard state, or none", 1_500, (random) => {
		const votedFor = random.pick([null, "n1", "ä".repeat(30)]);
		const state = { term: u48(random), commit: u48(random), votedFor };
		const bytes = Buffer.from(encodeHardState(state));
		assert.deepEqual(decodeHardState(bytes), state);
		const changed = mutated(bytes, random);
		const read = outcome(() => decodeHardState(changed), RangeError);
		if ("value" in read) expectSafe([read.value.term, read.value.commit]);
	});

	fuzz("is a reset, or none", 500, (random) => {
		const reset = { index: u48(random), term: u48(random) };
		const changed = mutated(encodeReset(reset), random);
		const read = outcome(() => decodeReset(changed), RangeError);
		if ("value" in read)
			assert.deepEqual(Buffer.from(encodeReset(read.value)), changed);
	});

	fuzz("is a segment's header and floor, or none", 1_500, (random) => {
		const header = Buffer.alloc(dataStart + 100);
		header.write("RAFTDLOG");
		header.writeUInt32LE(1, 8);
		header.writeUInt32LE(crc32(header.subarray(0, 88)), 88);
		const bytes = mutated(header, random);
		if (random.chance(0.5) && bytes.length > 92)
			bytes.writeUInt32LE(crc32(bytes.subarray(0, 88)), 88);
		const read = decodeSegmentHeader(bytes);
		if (read !== null)
			expectSafe([read.header.ordinal, read.header.size, read.version]);
		expectSafe(readFloor(bytes, seed));
	});

	fuzz("is a marker, or a sentence that says why not", 1_500, (random) => {
		const marker = {
			...{ format: 1, cluster: "c", node: "n1" },
			first: { ordinal: 3, id: "00".repeat(16) },
		};
		const read = decodeMarker(mutatedJson(marker, random));
		assert(["string", "number", "object"].includes(typeof read));
		if (typeof read !== "object") return;
		const { cluster, node, first } = read;
		assert.equal(`${typeof cluster} ${typeof node}`, "string string");
		if (first !== null) expectSafe(first.ordinal);
	});
});

describe("a configuration", () => {
	const address = { peer: "h:1", client: "h:2", admin: "h:3" };
	const sound = {
		...{ voters: ["n1", "n2", "n3"], outgoing: ["n3", "n4"] },
		...{ learners: ["n4", "n5"] },
		addresses: { n1: address, n5: { ...address, incarnation: "i" } },
	};

	fuzz("is refused, or one by which to decide", 2_500, (random) => {
		const bytes = mutatedJson(sound, random);
		const read = outcome(
			() => decodeConfiguration(bytes),
			...[SyntaxError, TypeError, RangeError],
		);
		if ("refused" in read) return;
		const { voters, outgoing, learners, addresses } = read.value;
		assert(voters.length > 0);
		for (const names of [voters, outgoing, learners]) {
			assert.equal(new Set(names).size, names.length);
			for (const name of names) assert(typeof name === "string" && name);
		}
		assert(!voters.some((name) => learners.includes(name)));
		for (const one of Object.values(addresses))
			assert.equal(typeof one.peer, "string");
		const again = decodeConfiguration(encodeConfiguration(read.value));
		assert.deepEqual(again, read.value);
	});
});
