import type { BrokenRule } from "./broken.js";
import { type Coverage, emptyCoverage } from "./coverage.js";
import { describeNodes } from "./describe.js";
import { heal } from "./heal.js";
import type { Mutant } from "./mutants.js";
import { Violation } from "./violation.js";
import { World } from "./world.js";

export interface Failure {
	/** The rule's short name; "core-threw" when the core itself gave up. */
	readonly invariant: string;
	readonly message: string;
	/** The last events, oldest first. */
	readonly trace: readonly string[];
	/** Where each node stood. */
	readonly nodes: readonly string[];
}

export interface SeedResult {
	readonly seed: number;
	readonly steps: number;
	readonly coverage: Coverage;
	readonly failure: Failure | null;
}

export interface RunSettings {
	/** Events under faults, before healing. */
	readonly steps: number;
	readonly mutant?: Mutant;
	readonly broken?: BrokenRule;
	/** Receives each event as a line. */
	readonly live?: (line: string) => void;
}

/** Runs one seed: the storm, then healing. The same seed and settings give the same run, event by event. */
export function runSeed(seed: number, settings: RunSettings): SeedResult {
	let world: World | null = null;
	try {
		world = new World(seed, {
			mutant: settings.mutant ?? null,
			broken: settings.broken ?? null,
			live: settings.live ?? null,
		});
		world.run(settings.steps);
		heal(world);
		return {
			seed,
			steps: world.steps,
			coverage: world.coverage,
			failure: null,
		};
	} catch (error) {
		if (!(error instanceof Error)) throw error;
		return {
			seed,
			steps: world?.steps ?? 0,
			coverage: world?.coverage ?? emptyCoverage(),
			failure: {
				invariant: error instanceof Violation ? error.invariant : "core-threw",
				message:
					error instanceof Violation
						? error.message
						: (error.stack ?? error.message),
				trace: world?.trace.lines() ?? [],
				nodes: world === null ? [] : describeNodes(world),
			},
		};
	}
}
