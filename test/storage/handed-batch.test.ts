import fc from "fast-check";
import { expect, it } from "vitest";
import { packBatch, unpackBatch } from "../../src/storage/handed-batch.js";

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
	block: fc.uint8Array({ maxLength: 2000 }),
	sync: fc.boolean(),
});

it("a batch is the same on the other thread, and the one that was given stays whole", () => {
	fc.assert(
		fc.property(batches, fc.nat(7), (batch, offset) => {
			// As blocks come: somewhere in a larger piece of memory.
			const larger = Buffer.alloc(batch.block.length + offset);
			larger.set(batch.block, offset);
			const block = larger.subarray(offset);
			const packed = packBatch({ ...batch, block });
			const handed = structuredClone(packed, { transfer: [packed] });
			const unpacked = unpackBatch(handed);
			expect({ ...unpacked, block: [...unpacked.block] }).toEqual({
				...batch,
				block: [...batch.block],
			});
			expect([...block]).toEqual([...batch.block]);
		}),
	);
});
