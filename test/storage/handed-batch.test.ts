import fc from "fast-check";
import { expect, it } from "vitest";
import {
	packBatch,
	packedBytes,
	unpackBatch,
} from "../../src/storage/handed-batch.js";

const index = fc.nat({ max: 2 ** 48 - 1 });
const batches = fc.record({
	sequence: index,
	hardState: fc.option(
		fc.record({
			term: index,
			commit: index,
			votedFor: fc.option(fc.string({ unit: "binary" })),
		}),
	),
	reset: fc.option(fc.record({ index, term: index })),
	firstIndex: index,
	lastIndex: index,
	blocks: fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 4 }),
	sync: fc.boolean(),
});

it("a batch is the same on the other thread, wherever it lies, and fills what it said it would", () => {
	fc.assert(
		fc.property(batches, fc.nat(3), (batch, before) => {
			const bytes = packedBytes(batch);
			const memory = Buffer.alloc(8 * before + bytes + 8, 0xee);
			const start = 8 * before;
			packBatch(batch, memory.subarray(start, start + bytes));
			expect([...memory.subarray(start + bytes)]).toEqual(Array(8).fill(0xee));
			const unpacked = unpackBatch(memory.subarray(start, start + bytes));
			expect(whole(unpacked)).toEqual(whole(batch));
		}),
	);
});

function whole<T extends { readonly blocks: readonly Uint8Array[] }>(batch: T) {
	return { ...batch, blocks: Buffer.concat(batch.blocks).toString("hex") };
}
