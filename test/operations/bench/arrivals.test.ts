import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Arrivals } from "../../../src/operations/bench/arrivals.js";

const everything = Number.POSITIVE_INFINITY;

describe("the arrivals of an open loop", () => {
	it("come evenly, and several threads share them without a gap or a double", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 5_000 }),
				fc.integer({ min: 1, max: 8 }),
				(perSecond, of) => {
					const threads = Array.from({ length: of }, (_, index) =>
						new Arrivals({ perSecond, index, of }, 0).take(999.999, everything),
					);
					const all = threads.flat().sort((a, b) => a - b);
					expect(all).toHaveLength(perSecond);
					const wrong = all.filter(
						(dueMs, number) =>
							Math.abs(dueMs - (number * 1000) / perSecond) > 1e-6,
					);
					expect(wrong).toEqual([]);
				},
			),
		);
	});

	it("that a stalled generator missed are given out late, each with when it was due", () => {
		const arrivals = new Arrivals({ perSecond: 1000, index: 0, of: 1 }, 50);
		expect(arrivals.take(49, everything)).toEqual([]);
		expect(arrivals.take(52, everything)).toEqual([50, 51, 52]);
		expect(arrivals.take(1052, everything)).toHaveLength(1000);
		expect(arrivals.nextMs).toBe(1053);
	});

	it("are given out in parts, if they are too many at once", () => {
		const arrivals = new Arrivals({ perSecond: 1000, index: 0, of: 1 }, 0);
		expect(arrivals.take(9, 4)).toEqual([0, 1, 2, 3]);
		expect(arrivals.take(9, 4)).toEqual([4, 5, 6, 7]);
		expect(arrivals.take(9, 4)).toEqual([8, 9]);
	});
});
