import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Generator } from "../../../src/operations/bench/generator.js";
import type { LatencyCounts } from "../../../src/operations/bench/latency-histogram.js";
import { LatencyHistogram } from "../../../src/operations/bench/latency-histogram.js";
import { FakeTarget } from "./fake-target.js";

const wish = {
	...{ prefix: "raftctl/bench/x/", keys: 10, bytes: 8, reads: 0 },
	...{ timeoutMs: 1000, connections: 1 },
};
const alone = { index: 0, of: 1 };

beforeEach(() => {
	vi.useFakeTimers({
		toFake: ["performance", "setTimeout", "setInterval", "clearInterval"],
	});
});
afterEach(() => vi.useRealTimers());

function histogram(counts: LatencyCounts): LatencyHistogram {
	const one = new LatencyHistogram();
	one.add(counts);
	return one;
}

async function ended(generator: Generator): Promise<void> {
	const stopped = generator.stop();
	await vi.advanceTimersByTimeAsync(20);
	await stopped;
}

describe("an open loop", () => {
	it("counts a stall on every request that was due in it", async () => {
		const target = new FakeTarget();
		const generator = new Generator(target, wish, alone);
		generator.begin({ mode: "open", perSecond: 1000 });
		generator.mark();
		target.isFrozen = true;
		await vi.advanceTimersByTimeAsync(1000);
		target.thaw();
		await ended(generator);
		const { writes, errors } = generator.take();
		expect(errors).toEqual({});
		expect(histogram(writes).count).toBeGreaterThanOrEqual(1000);
		// Half of them were due more than half a second before the end of the stall.
		expect(histogram(writes).percentileMs(0.5)).toBeGreaterThan(490);
		expect(histogram(writes).maxMs).toBeGreaterThan(990);
	});

	it("counts from when it was due, also when the generator itself was held up", async () => {
		const target = new FakeTarget();
		const generator = new Generator(target, wish, alone);
		generator.begin({ mode: "open", perSecond: 100 });
		generator.mark();
		// No timer runs meanwhile.
		vi.setSystemTime(Date.now());
		const now = vi.spyOn(performance, "now");
		const real = performance.now();
		now.mockReturnValue(real + 500);
		await vi.advanceTimersByTimeAsync(2);
		now.mockRestore();
		const { late } = generator.take();
		await ended(generator);
		expect(histogram(late).maxMs).toBeGreaterThan(490);
	});

	it("sends at its rate, although nothing is answered", async () => {
		const target = new FakeTarget();
		target.isFrozen = true;
		const generator = new Generator(target, wish, alone);
		generator.begin({ mode: "open", perSecond: 200 });
		await vi.advanceTimersByTimeAsync(2000);
		expect(target.puts).toBeGreaterThanOrEqual(399);
		expect(target.puts).toBeLessThanOrEqual(401);
		target.thaw();
		await ended(generator);
	});
});

describe("a closed loop", () => {
	it("has as many requests under way as it has clients, over all threads", async () => {
		const threads = [0, 1, 2].map((index) => {
			const target = new FakeTarget();
			target.isFrozen = true;
			const generator = new Generator(target, wish, { index, of: 3 });
			generator.begin({ mode: "closed", clients: 7 });
			return { target, generator };
		});
		await vi.advanceTimersByTimeAsync(100);
		expect(threads.map(({ target }) => target.puts)).toEqual([3, 2, 2]);
		for (const { target, generator } of threads) {
			target.thaw();
			await ended(generator);
		}
	});

	it("mixes reads and writes by their share", async () => {
		const target = new FakeTarget();
		const generator = new Generator(target, { ...wish, reads: 0.5 }, alone);
		generator.begin({ mode: "closed", clients: 8 });
		await vi.advanceTimersByTimeAsync(500);
		await ended(generator);
		const { reads, writes, answered } = generator.take();
		expect(histogram(reads).count).toBe(target.gets);
		expect(histogram(writes).count).toBe(target.puts);
		expect(answered).toBe(target.gets + target.puts);
		expect(target.gets / answered).toBeGreaterThan(0.4);
		expect(target.gets / answered).toBeLessThan(0.6);
	});

	it("counts failures by their kind, and does not fail a million times", async () => {
		const target = new FakeTarget();
		target.fault = new Error("overloaded");
		const generator = new Generator(target, wish, alone);
		generator.begin({ mode: "closed", clients: 2 });
		await vi.advanceTimersByTimeAsync(110);
		await ended(generator);
		const { errors, answered } = generator.take();
		expect(answered).toBe(0);
		expect(errors.overloaded).toBeGreaterThan(10);
		expect(errors.overloaded).toBeLessThan(30);
	});
});

describe("a generator", () => {
	it("forgets what was begun before the mark, however late it is answered", async () => {
		const target = new FakeTarget();
		target.isFrozen = true;
		const generator = new Generator(target, wish, alone);
		generator.begin({ mode: "closed", clients: 5 });
		await vi.advanceTimersByTimeAsync(300);
		generator.mark();
		target.isFrozen = true;
		const stopped = generator.stop();
		target.thaw();
		await vi.advanceTimersByTimeAsync(10);
		await stopped;
		const { writes, answered, errors } = generator.take();
		expect([histogram(writes).count, answered, errors]).toEqual([0, 5, {}]);
	});

	it("fills every key once over all threads, whatever is refused now and then", async () => {
		const target = new FakeTarget();
		const fills = [0, 1, 2].map((index) =>
			new Generator(target, wish, { index, of: 3 }).fill(),
		);
		target.fault = new Error("no-leader");
		await vi.advanceTimersByTimeAsync(50);
		target.fault = null;
		await vi.advanceTimersByTimeAsync(500);
		await Promise.all(fills);
		expect([...target.keys].sort()).toEqual(
			Array.from({ length: 10 }, (_, at) => `${wish.prefix}${at}`),
		);
	});
});
