import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	copyIndex,
	copyName,
	expendable,
	partName,
	partOf,
} from "../../../src/daemon/backup/copy-names.js";
import { owner } from "./copies.js";

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const owners = fc.record({
	...{ cluster: name, clusterId: fc.string({ minLength: 1 }), node: name },
});
const indexes = fc.integer({ min: 1, max: 2 ** 48 - 1 });

describe("the names of copies", () => {
	it("tell the index, and nobody takes them for another cluster's", () => {
		fc.assert(
			fc.property(owners, owners, indexes, (one, other, index) => {
				expect(copyIndex(one, copyName(one, index))).toBe(index);
				if (other.cluster === one.cluster) return;
				expect(copyIndex(other, copyName(one, index))).toBeNull();
			}),
		);
	});

	it("keep clusters apart whose names begin alike", () => {
		expect(copyIndex(owner, "shop-7.snapshot")).toBe(7);
		for (const each of [
			...["shop-1-7.snapshot", "shop-.snapshot", "shop-07.snapshot"],
			...["shop-7.snapshot.bak", "shop-7.snapshot.part", "xshop-7.snapshot"],
			...["shop-1e3.snapshot", "shop--7.snapshot", "shop-7"],
		])
			expect(copyIndex(owner, each), each).toBeNull();
	});

	it("of parts tell who writes them, and are no copies", () => {
		fc.assert(
			fc.property(owners, owners, indexes, (one, other, index) => {
				const part = partName(one, index);
				expect(partOf(one, part)).toEqual({ writer: one.node, index });
				expect(copyIndex(one, part)).toBeNull();
				if (other.clusterId !== one.clusterId)
					expect(partOf(other, part)).toBeNull();
			}),
		);
	});
});

describe("which copies may go", () => {
	it("are all but the newest, never the one just made, never all", () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(indexes, { minLength: 1, maxLength: 12 }),
				fc.integer({ min: 0, max: 15 }),
				fc.nat(),
				(found, keep, pick) => {
					const made = found[pick % found.length] as number;
					const copies = found.map((index) => ({ index }));
					const gone = new Set(
						expendable(copies, keep, made).map(({ index }) => index),
					);
					const kept = found.filter((index) => !gone.has(index));
					expect(kept).toContain(made);
					expect(kept).toContain(Math.max(...found));
					expect(kept.length).toBeGreaterThanOrEqual(
						Math.min(found.length, Math.max(1, keep)),
					);
					expect(kept.length).toBeLessThanOrEqual(Math.max(1, keep) + 1);
				},
			),
		);
	});
});
