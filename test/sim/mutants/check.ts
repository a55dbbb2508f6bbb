import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { AnyMutant } from "./all.js";
import { bundleDirectory, bundleHunt } from "./bundle.js";
import type { HuntOrder, Quarry } from "./hunt.js";
import type { CoreMutant } from "./patch.js";

/** Events under faults in each seed, as in `npm run sim`. */
export const stepsPerSeed = 10_000;

/** A mutant that makes the simulator run in a circle is not caught: it has shown nothing. */
const huntTimeoutMs = 30 * 60_000;

/** One seed's memory is a few dozen megabytes; a mutant must not take the machine along. */
const heapLimitMb = 1536;

export interface MutantResult {
	readonly name: string;
	readonly pitfall: string;
	readonly caught: boolean;
	/** The first seed that caught it; null when none did. */
	readonly seed: number | null;
	/** How many were run. */
	readonly seeds: number;
	/** Which of the simulator's rules it broke; null when none. */
	readonly rule: string | null;
	readonly message: string | null;
	readonly seconds: number;
}

/** Builds one simulator for each mutant, and runs it, one after another. */
export class MutantCheck {
	readonly #root: string;
	readonly #directory: string;
	#built = 0;
	#plain: Promise<string> | null = null;

	constructor(root: string) {
		this.#root = root;
		this.#directory = bundleDirectory(root);
	}

	/** Runs `mutant` over seeds 1 to `seeds`, until one of them breaks a rule. */
	async run(mutant: AnyMutant, seeds: number): Promise<MutantResult> {
		const beganMs = performance.now();
		const { name, pitfall, core } = mutant;
		const quarry = await this.#hunt(core, {
			...{ seeds, steps: stepsPerSeed },
			...(mutant.mutant === undefined ? {} : { mutant: mutant.mutant }),
			...(mutant.broken === undefined ? {} : { broken: mutant.broken }),
		});
		const caught = quarry.seed !== null;
		return {
			...{ name, pitfall, caught },
			...{ seed: quarry.seed, seeds: quarry.seed ?? seeds },
			...{ rule: quarry.rule, message: quarry.message },
			seconds: (performance.now() - beganMs) / 1000,
		};
	}

	/** The same seeds with no bug at all: what they break then, no mutant has broken. */
	baseline(seeds: number): Promise<Quarry> {
		return this.#hunt(null, { seeds, steps: stepsPerSeed });
	}

	async end(): Promise<void> {
		await rm(this.#directory, { recursive: true, force: true });
	}

	async #hunt(mutant: CoreMutant | null, order: HuntOrder): Promise<Quarry> {
		this.#plain ??= this.#bundle(null);
		const bundle = await (mutant === null ? this.#plain : this.#bundle(mutant));
		const args = [
			...[`--max-old-space-size=${heapLimitMb}`, "--enable-source-maps"],
			...[bundle, JSON.stringify(order)],
		];
		const limits = { timeout: huntTimeoutMs, maxBuffer: 1024 * 1024 };
		try {
			const run = await promisify(execFile)(process.execPath, args, limits);
			return JSON.parse(run.stdout) as Quarry;
		} catch (error) {
			// Out of time or memory: nothing was shown, and the other mutants are still to be tried.
			const message = `the hunt failed: ${(error as Error).message.slice(0, 500)}`;
			return { seed: null, rule: null, message };
		}
	}

	async #bundle(mutant: CoreMutant | null): Promise<string> {
		await mkdir(this.#directory, { recursive: true });
		const outfile = join(this.#directory, `${++this.#built}.mjs`);
		await bundleHunt({ root: this.#root, mutant, outfile });
		return outfile;
	}
}
