import { describe, expect, it } from "vitest";
import { runBatch } from "./batch.js";
import { coverageSeeds, missingCoverage } from "./coverage.js";
import { runSeed } from "./run.js";

describe("the simulated cluster", () => {
	it("keeps every rule through a batch of seeds, in which everything happens that can", () => {
		const batch = runBatch(1, coverageSeeds, { steps: 10_000 });
		expect(batch.failed?.failure ?? null).toBeNull();
		expect(missingCoverage(batch.coverage)).toEqual([]);
	}, 600_000);

	it("runs a seed the same way again, event by event", () => {
		const run = () => {
			const events: string[] = [];
			const result = runSeed(11, {
				steps: 8000,
				live: (line) => events.push(line),
			});
			return { result, events };
		};
		const first = run();
		const again = run();
		expect(first.events.length).toBeGreaterThan(1000);
		expect(again).toEqual(first);
	});

	it("runs another seed another way", () => {
		const steps = [1, 2, 3, 4].map((seed) => runSeed(seed, { steps: 2000 }));
		expect(new Set(steps.map((run) => run.steps)).size).toBe(4);
	});
});
