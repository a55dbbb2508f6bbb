import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { checksum } from "../../src/storage/checksum.js";

it("a checksum is the one that zlib computes, of any span and from any seed", () => {
	fc.assert(
		fc.property(
			fc.uint8Array({ maxLength: 300 }),
			fc.nat(300),
			fc.nat(300),
			fc.integer({ min: 0, max: 2 ** 32 - 1 }),
			(content, from, to, seed) => {
				// Not empty: zlib forgets the seed of an array without memory.
				const bytes = Buffer.concat([content, Buffer.alloc(1)]);
				const start = Math.min(from, to, bytes.length);
				const end = Math.min(Math.max(from, to), bytes.length);
				expect(checksum(bytes, start, end, seed)).toBe(
					crc32(bytes.subarray(start, end), seed),
				);
			},
		),
	);
});
