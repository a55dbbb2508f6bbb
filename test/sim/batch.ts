import { addCoverage, type Coverage, emptyCoverage } from "./coverage.js";
import { type RunSettings, runSeed, type SeedResult } from "./run.js";

export interface BatchResult {
	/** How many seeds were run. */
	readonly seeds: number;
	readonly steps: number;
	readonly coverage: Coverage;
	/** The first seed that broke a rule; the batch ends there. */
	readonly failed: SeedResult | null;
}

/** Runs `seeds` seeds from `first` on, up to the first that breaks a rule. */
export function runBatch(
	first: number,
	seeds: number,
	settings: RunSettings,
): BatchResult {
	const coverage = emptyCoverage();
	let steps = 0;
	for (let at = 0; at < seeds; at++) {
		const result = runSeed(first + at, settings);
		addCoverage(coverage, result.coverage);
		steps += result.steps;
		if (result.failure !== null)
			return { seeds: at + 1, steps, coverage, failed: result };
	}
	return { seeds, steps, coverage, failed: null };
}
