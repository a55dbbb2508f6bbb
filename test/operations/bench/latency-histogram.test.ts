import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyHistogram } from "../../../src/operations/bench/latency-histogram.js";

function counted(latenciesMs: readonly number[]): LatencyHistogram {
	const histogram = new LatencyHistogram();
	for (const latencyMs of latenciesMs) histogram.record(latencyMs);
	return histogram;
}

/** Whole microseconds, as they are counted. */
const latencies = fc.array(
	fc
		.oneof(fc.nat(2_000), fc.nat(2_000_000), fc.nat(3_600_000_000))
		.map((us) => us / 1000),
	{ minLength: 1, maxLength: 200 },
);

describe("a latency histogram", () => {
	it("tells no percentile too low, and none more than 0.2 % too high", () => {
		fc.assert(
			fc.property(
				latencies,
				fc.double({ min: 0, max: 1, noNaN: true }),
				(all, share) => {
					const sorted = [...all].sort((a, b) => a - b);
					const rank = Math.max(1, Math.ceil(share * all.length));
					const exact = sorted[rank - 1] as number;
					const told = counted(all).percentileMs(share);
					expect(told).toBeGreaterThanOrEqual(exact - 1e-9);
					expect(told).toBeLessThanOrEqual(exact * 1.002 + 1e-9);
				},
			),
		);
	});

	it("keeps count, mean and the largest exactly", () => {
		fc.assert(
			fc.property(latencies, (all) => {
				const histogram = counted(all);
				const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
				expect(histogram.count).toBe(all.length);
				expect(histogram.meanMs).toBeCloseTo(mean, 3);
				expect(histogram.maxMs).toBe(Math.max(...all));
			}),
		);
	});

	it("is the same whether one thread counted or several did", () => {
		fc.assert(
			fc.property(fc.array(latencies, { maxLength: 5 }), (threads) => {
				const sum = new LatencyHistogram();
				for (const one of threads) sum.add(counted(one).take());
				expect(sum.take()).toEqual(counted(threads.flat()).take());
			}),
		);
	});

	it("begins anew once its counts were taken", () => {
		const histogram = counted([1, 2, 3]);
		histogram.take();
		expect(histogram.percentileMs(0.5)).toBe(0);
		histogram.record(7);
		expect([histogram.count, histogram.percentileMs(0.99)]).toEqual([1, 7]);
	});

	it("takes what no clock should say for the next that it can count", () => {
		const histogram = counted([-1, Number.POSITIVE_INFINITY]);
		expect(histogram.percentileMs(0.5)).toBe(0);
		expect(histogram.maxMs).toBe(3_600_000);
	});
});
