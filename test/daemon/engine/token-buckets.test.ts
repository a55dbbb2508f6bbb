import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	TokenBuckets,
	unlimitedPerSecond,
} from "../../../src/daemon/engine/token-buckets.js";

describe("token buckets", () => {
	it("let a burst pass, then the rate, each client for itself", () => {
		const buckets = new TokenBuckets(100, 5);
		const taken = (client: string, nowMs: number) =>
			buckets.take(client, nowMs) === 0;
		expect([1, 2, 3, 4, 5, 6].map(() => taken("a", 0))).toEqual([
			...[true, true, true, true, true, false],
		]);
		expect(taken("b", 0)).toBe(true);
		expect(taken("a", 9)).toBe(false);
		expect(taken("a", 10)).toBe(true);
		expect(taken("a", 10)).toBe(false);
	});

	it("never let more pass than the rate and the burst, whenever who comes", () => {
		const gaps = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 });
		fc.assert(
			fc.property(gaps, (waits) => {
				const buckets = new TokenBuckets(100, 7);
				let nowMs = 0;
				let passed = 0;
				for (const gapMs of waits) {
					nowMs += gapMs;
					if (buckets.take("a", nowMs) === 0) passed++;
				}
				expect(passed).toBeLessThanOrEqual(7 + nowMs / 10 + 1e-6);
			}),
		);
	});

	it("tell each that is refused a time of its own, at which there is a token for it", () => {
		const buckets = new TokenBuckets(100, 1);
		buckets.take("a", 0);
		const waits = Array.from({ length: 20 }, () => buckets.take("a", 0));
		expect(new Set(waits).size).toBe(20);
		expect(waits.map((ms) => buckets.take("a", ms))).toEqual(Array(20).fill(0));
	});

	it("promise nothing far away, however many are refused", () => {
		const buckets = new TokenBuckets(10, 1);
		const waits = Array.from({ length: 1000 }, () => buckets.take("a", 0));
		expect(Math.max(...waits)).toBeLessThanOrEqual(5000);
	});

	it("forget clients that went away, and keep those that owe", () => {
		const buckets = new TokenBuckets(1000, 10);
		for (let i = 0; i < 10_000; i++) buckets.take(`c${i}`, i);
		expect(buckets.size).toBeLessThan(1100);
		for (let i = 0; i < 11; i++) buckets.take("busy", 20_000);
		for (let i = 0; i < 3000; i++) buckets.take(`d${i}`, 20_000);
		expect(buckets.take("busy", 20_000)).toBeGreaterThan(0);
	});

	it("keep nothing where there is no limit", () => {
		const buckets = new TokenBuckets(unlimitedPerSecond, 1);
		for (let i = 0; i < 100; i++) expect(buckets.take("a", 0)).toBe(0);
		expect(buckets.size).toBe(0);
	});
});
