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
	const batch = new Batch(first, seeds, settings);
	while (!batch.isOver) batch.runNext();
	return batch.result();
}

/** A batch that is run seed by seed, so that whoever runs it can look up in between. */
export class Batch {
	readonly #first: number;
	readonly #seeds: number;
	readonly #settings: RunSettings;
	readonly #coverage = emptyCoverage();
	#run = 0;
	#steps = 0;
	#failed: SeedResult | null = null;

	constructor(first: number, seeds: number, settings: RunSettings) {
		this.#first = first;
		this.#seeds = seeds;
		this.#settings = settings;
	}

	get isOver(): boolean {
		return this.#failed !== null || this.#run >= this.#seeds;
	}

	runNext(): void {
		const result = runSeed(this.#first + this.#run, this.#settings);
		this.#run++;
		this.#steps += result.steps;
		addCoverage(this.#coverage, result.coverage);
		if (result.failure !== null) this.#failed = result;
	}

	/** What was run so far. */
	result(): BatchResult {
		return {
			...{ seeds: this.#run, steps: this.#steps },
			...{ coverage: { ...this.#coverage }, failed: this.#failed },
		};
	}
}
