import { describe, expect, it } from "vitest";
import { bufferOf } from "../../src/storage/block.js";
import {
	groupOf,
	groupsOf,
	maxGroupBatches,
	maxGroupBytes,
} from "../../src/storage/group.js";
import { decodeHardState, ItemKind } from "../../src/storage/record.js";
import { batchOf, entry } from "./history.js";

const older = { term: 1, votedFor: "n1", commit: 0 };
const newer = { term: 2, votedFor: null, commit: 1 };

describe("a group", () => {
	it("joins blocks that follow each other, and keeps a cut apart", () => {
		const { items, sync } = groupOf(
			[
				batchOf(1, [entry(1, 1)]),
				batchOf(2, [entry(2, 1), entry(3, 1)]),
				batchOf(3, [entry(2, 2)]),
				batchOf(4, [entry(3, 2)]),
			],
			null,
		);
		expect(sync).toBe(true);
		expect(
			items.map(({ first, last, parts }) => [first, last, parts.length]),
		).toEqual([
			[1, 3, 2],
			[2, 3, 2],
		]);
	});

	it("holds the newest hard state, the one that waited before all others", () => {
		const cases = [
			{
				batches: [batchOf(1, [], older), batchOf(2, [], newer)],
				waiting: null,
				expected: newer,
			},
			{ batches: [batchOf(1, [], newer)], waiting: older, expected: newer },
			{ batches: [batchOf(1, [entry(1, 1)])], waiting: older, expected: older },
		];
		for (const { batches, waiting, expected } of cases) {
			const { items, hardState } = groupOf(batches, waiting);
			expect(hardState).toEqual(expected);
			const written = items.filter(({ kind }) => kind === ItemKind.hardState);
			expect(written).toHaveLength(1);
			const [part = new Uint8Array()] = written[0]?.parts ?? [];
			expect(decodeHardState(bufferOf(part))).toEqual(expected);
		}
	});

	it("can wait when only the commit hint changed, never when there are entries", () => {
		expect(groupOf([batchOf(1, [], newer, false)], null).sync).toBe(false);
		expect(groupOf([batchOf(1, [entry(1, 1)], newer, false)], null).sync).toBe(
			true,
		);
	});

	it("stays within its limits, in order, and takes a larger batch alone", () => {
		const small = Array.from({ length: 2 * maxGroupBatches + 1 }, (_, at) =>
			batchOf(at + 1, [], newer),
		);
		expect([...groupsOf(small)].map(({ length }) => length)).toEqual([
			maxGroupBatches,
			maxGroupBatches,
			1,
		]);
		expect([...groupsOf(small)].flat()).toEqual(small);
		const giant = {
			...batchOf(2, []),
			blocks: [new Uint8Array(maxGroupBytes + 1)],
		};
		const mixed = [batchOf(1, [], newer), giant, batchOf(3, [], newer)];
		expect(
			[...groupsOf(mixed)].map((group) =>
				group.map(({ sequence }) => sequence),
			),
		).toEqual([[1], [2], [3]]);
		expect([...groupsOf([])]).toEqual([]);
	});
});
