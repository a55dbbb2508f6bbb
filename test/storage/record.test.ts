import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { bufferOf } from "../../src/storage/block.js";
import {
	contentsAreWhole,
	decodeHardState,
	encodeHardState,
	encodeRecord,
	type Item,
	ItemKind,
	RecordType,
	readRecord,
	recordBytes,
} from "../../src/storage/record.js";
import { dataStart } from "../../src/storage/segment.js";
import { FakeDisk } from "../fakes/fake-disk.js";
import { batchOf, entry, openOn, place } from "./history.js";

const items = fc.array(
	fc.record({
		kind: fc.constantFrom(...Object.values(ItemKind)),
		first: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
		last: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
		parts: fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 3 }),
	}),
	{ maxLength: 5 },
);
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function encoded(of: readonly Item[], seed: number, previous: number): Buffer {
	const target = Buffer.alloc(512 + recordBytes(of), 0xee);
	encodeRecord(target.subarray(512), RecordType.group, of, {
		seed,
		previous,
		offset: 512,
	});
	return target;
}

describe("a record", () => {
	it("gives back what was put in, and begins and ends at a sector", () => {
		fc.assert(
			fc.property(items, word, word, (put, seed, previous) => {
				const bytes = encoded(put, seed, previous);
				const record = readRecord(bytes, 512, seed);
				expect(record).toMatchObject({
					type: RecordType.group,
					previous,
					end: bytes.length,
				});
				expect(bytes.length % 512).toBe(0);
				expect(
					contentsAreWhole(bytes, record as NonNullable<typeof record>, seed),
				).toBe(true);
				expect(
					record?.items.map(({ offset, bytes: length, ...item }) => ({
						...item,
						content: bytes.subarray(offset, offset + length).toString("hex"),
					})),
				).toEqual(
					put.map(({ kind, first, last, parts }) => ({
						...{ kind, first, last, crc: expect.any(Number) },
						content: Buffer.concat(parts).toString("hex"),
					})),
				);
			}),
		);
	});

	it("is not read at another offset, with another seed, or when it runs over the end", () => {
		const bytes = encoded([], 5, 6);
		expect(readRecord(bytes, 512, 5)).not.toBeNull();
		expect(readRecord(bytes, 512, 4)).toBeNull();
		expect(readRecord(bytes.subarray(512), 0, 5)).toBeNull();
		const long = encoded(
			[
				{
					kind: ItemKind.entries,
					first: 1,
					last: 1,
					parts: [new Uint8Array(900)],
				},
			],
			5,
			6,
		);
		expect(readRecord(long.subarray(0, 1024), 512, 5)).toBeNull();
	});

	it("is never made of garbage, and garbage never throws", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), word, (garbage, seed) => {
				const bytes = Buffer.from(garbage);
				for (let at = 0; at < bytes.length + 30; at += 1)
					expect(readRecord(bytes, at, seed)).toBeNull();
			}),
		);
	});

	it("carries the hard state whole, whoever was voted for", () => {
		for (const votedFor of [null, "", "n1", "Zürich-1"]) {
			const state = { term: 2 ** 48 - 1, votedFor, commit: 2 ** 40 };
			expect(decodeHardState(bufferOf(encodeHardState(state)))).toEqual(state);
		}
	});
});

describe("the format", () => {
	it("is what it was: a change needs another version number", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk, undefined, () => Buffer.alloc(16, 0xab));
		wal.append([
			batchOf(1, [entry(1, 2, "data")], { term: 2, votedFor: "n1", commit: 0 }),
		]);
		wal.markFloor();
		const bytes = disk.bytes(`${place.directory}/0000000001.wal`);
		expect(hex(bytes, 0, 92)).toMatchInlineSnapshot(
			`"52414654444c4f470100000000000000abababababababababababababababab00000000000000000000000000000000010000000000000001000000000000000040000000000000d201978fb44eb5323dfbe62b55f855f395f9250d"`,
		);
		expect(hex(bytes, 4096, 20)).toMatchInlineSnapshot(
			`"1fb3902800320000000000000000000000000000"`,
		);
		expect(hex(bytes, dataStart, 112)).toMatchInlineSnapshot(
			`"d553e33b95f9250d560000000100020000300000000000000100000016000000c7bf1fc70100000000000100000000000200000010000000a408b8cb0000000000000000000000000100000000000200000000000101040000006461746102000000000000000000000002006e310000"`,
		);
		expect(disk.bytes(`${place.directory}/log.json`).toString()).toBe(
			'{"format":1,"cluster":"cluster","node":"n1"}\n',
		);
	});

	it("of files that are garbage is refused with an error for people", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 20_000 }), (garbage) => {
				const disk = new FakeDisk(1);
				openOn(disk).wal.close();
				disk.overwrite(`${place.directory}/0000000001.wal`, garbage);
				expect(() => openOn(disk)).toThrow(OperatorError);
			}),
		);
	});
});

function hex(bytes: Buffer, at: number, length: number): string {
	return bytes.subarray(at, at + length).toString("hex");
}
