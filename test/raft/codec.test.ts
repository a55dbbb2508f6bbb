import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	blockBytes,
	decodeBlock,
	decodeConfiguration,
	encodeBlock,
	encodeConfiguration,
	entryBytes,
	entryHeaderBytes,
} from "../../src/raft/codec.js";
import { type Entry, EntryKind } from "../../src/raft/types.js";

const kinds = Object.values(EntryKind);
const logs = fc
	.record({
		first: fc.integer({ min: 1, max: 2 ** 48 - 1000 }),
		entries: fc.array(
			fc.record({
				term: fc.maxSafeNat().map((term) => term % 2 ** 48),
				kind: fc.constantFrom(...kinds),
				level: fc.integer({ min: 0, max: 255 }),
				data: fc.uint8Array({ maxLength: 40 }),
			}),
			{ maxLength: 12 },
		),
	})
	.map(({ first, entries }): Entry[] =>
		entries.map((each, at) => ({ index: first + at, ...each })),
	);

function encode(entries: readonly Entry[]): Uint8Array {
	const block = new Uint8Array(blockBytes(entries));
	expect(encodeBlock(entries, block, 0)).toBe(block.length);
	return block;
}

describe("a block of entries", () => {
	it("knows no address of a member that it does not name, whatever the name", () => {
		const { addresses } = decodeConfiguration(
			encodeConfiguration({
				...{ voters: ["n1"], outgoing: [], learners: [] },
				addresses: {},
			}),
		);
		expect(addresses.constructor).toBeUndefined();
	});

	it("comes out of the decoder as it went into the encoder", () => {
		fc.assert(
			fc.property(logs, (entries) => {
				expect(decodeBlock(encode(entries))).toEqual(entries);
			}),
		);
	});

	it("takes the bytes that are counted against every limit", () => {
		fc.assert(
			fc.property(logs, (entries) => {
				const bytes = entries.reduce(
					(sum, entry) => sum + entryBytes(entry),
					0,
				);
				expect(blockBytes(entries)).toBe(bytes);
			}),
		);
	});

	it("is refused when it is cut anywhere but between entries (P18)", () => {
		fc.assert(
			fc.property(logs, fc.nat(), (entries, cut) => {
				const block = encode(entries);
				const length = cut % (block.length + 1);
				const ends = entries.map((_, at) =>
					blockBytes(entries.slice(0, at + 1)),
				);
				const piece = block.subarray(0, length);
				if (length === 0 || ends.includes(length))
					expect(decodeBlock(piece).length).toBe(ends.indexOf(length) + 1);
				else expect(() => decodeBlock(piece)).toThrow(RangeError);
			}),
		);
	});

	it("never decodes garbage into numbers that are not safe, nor reads past its end (P18, P70)", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
				let entries: Entry[];
				try {
					entries = decodeBlock(bytes);
				} catch (error) {
					expect(error).toBeInstanceOf(RangeError);
					return;
				}
				expect(blockBytes(entries)).toBe(bytes.length);
				for (const { index, term } of entries) {
					expect(Number.isSafeInteger(index)).toBe(true);
					expect(Number.isSafeInteger(term)).toBe(true);
				}
			}),
			{ numRuns: 1000 },
		);
	});

	it("is refused when indexes do not rise by one", () => {
		const data = new Uint8Array(3);
		const at = (index: number): Entry => ({
			index,
			term: 1,
			kind: EntryKind.command,
			level: 1,
			data,
		});
		expect(() => decodeBlock(encode([at(4), at(6)]))).toThrow(
			/entry 6 follows 4/,
		);
		expect(() => decodeBlock(encode([at(0)]))).toThrow(RangeError);
	});

	it("carries an entry of a kind that a later release knows, for its reader to stop at (P61)", () => {
		const block = encode([
			{
				...{ index: 4, term: 1, kind: EntryKind.command, level: 1 },
				data: new Uint8Array(3),
			},
		]);
		block[12] = 9;
		expect(decodeBlock(block)[0]?.kind).toBe(9);
	});

	it("cannot hold an index or term beyond 48 bits (P70)", () => {
		const data = new Uint8Array(0);
		const block = new Uint8Array(entryHeaderBytes);
		for (const wrong of [2 ** 48, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
			const entry: Entry = {
				index: 1,
				term: wrong,
				kind: EntryKind.noop,
				level: 1,
				data,
			};
			expect(() => encodeBlock([entry], block, 0)).toThrow(RangeError);
		}
	});
});

describe("a configuration", () => {
	it("comes out as it went in, and equal ones are equal bytes", () => {
		const address = { peer: "h:1", client: "h:2", admin: "h:3" };
		const configuration = {
			voters: ["a", "b"],
			outgoing: ["c"],
			learners: ["d"],
			addresses: { a: address },
		};
		const { addresses, learners, outgoing, voters } = configuration;
		expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual(
			configuration,
		);
		expect(
			encodeConfiguration({ addresses, learners, outgoing, voters }),
		).toEqual(encodeConfiguration(configuration));
	});

	it.each([
		"",
		"{}",
		"null",
		'{"voters":[1],"outgoing":[],"learners":[]}',
		"\xff",
	])("is refused when it is none: %s", (text) => {
		expect(() => decodeConfiguration(Buffer.from(text, "latin1"))).toThrow();
	});

	const sound = { voters: ["a", "b"], outgoing: [], learners: ["c"] };

	it.each([
		["nobody to vote", { ...sound, voters: [] }, TypeError],
		["a voter twice", { ...sound, voters: ["a", "a"] }, TypeError],
		["a learner twice", { ...sound, learners: ["c", "c"] }, TypeError],
		["a leaver twice", { ...sound, outgoing: ["a", "a"] }, TypeError],
		["a node in two roles", { ...sound, learners: ["a"] }, TypeError],
		["a name without letters", { ...sound, voters: ["a", ""] }, TypeError],
		[
			"a name longer than a greeting holds",
			{ ...sound, voters: ["é".repeat(128)] },
			TypeError,
		],
		["names instead of a list", { ...sound, outgoing: "ab" }, TypeError],
		["addresses in a list", { ...sound, addresses: [] }, TypeError],
		["no address", { ...sound, addresses: { a: null } }, TypeError],
		[
			"a port alone for an address",
			{ ...sound, addresses: { a: { peer: 7, client: "", admin: "" } } },
			TypeError,
		],
		[
			"more members than any cluster",
			{ ...sound, voters: Array.from({ length: 1025 }, (_, at) => `n${at}`) },
			RangeError,
		],
		[
			"more bytes than any cluster's",
			{ ...sound, note: "x".repeat(1024 * 1024) },
			RangeError,
		],
	])("is refused with %s", (_what, json, error) => {
		const bytes = Buffer.from(JSON.stringify(json));
		expect(() => decodeConfiguration(bytes)).toThrow(error);
	});

	it("may name a node twice while it is on its way to another role", () => {
		const joint = { voters: ["b"], outgoing: ["a", "b"], learners: ["a"] };
		expect(decodeConfiguration(Buffer.from(JSON.stringify(joint)))).toEqual({
			...joint,
			addresses: {},
		});
	});
});
