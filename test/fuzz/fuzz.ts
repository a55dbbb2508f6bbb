import { runInThisContext } from "node:vm";
import { it } from "vitest";
import { reasonOf } from "../../src/errors.js";
import { Random } from "../sim/random.js";

/** Enough for any one attempt on a slow machine; only a loop without end takes longer. */
const hangMs = 20_000;

type Attempt = (random: Random) => void | Promise<void>;

/**
 * A test that tries `runs` inputs, each from a seed of its own: `FUZZ_RUNS` tries so many instead, `FUZZ_SEED` begins
 * elsewhere. A failure names the seed, and how to try it again.
 */
export function fuzz(title: string, runs: number, attempt: Attempt): void {
	const count = numberOf("FUZZ_RUNS") ?? runs;
	const first = numberOf("FUZZ_SEED") ?? 1;
	const timeoutMs = 60_000 + count * 100;
	it(title, { timeout: timeoutMs }, async () => {
		for (let seed = first; seed < first + count; seed += 1)
			try {
				await attempt(new Random(seed, streamOf(title)));
			} catch (cause) {
				throw new Error(
					`${reasonOf(cause)}\nfails with seed ${seed}: FUZZ_SEED=${seed} FUZZ_RUNS=1 npx vitest run test/fuzz`,
					{ cause },
				);
			}
	});
}

/** Runs it; throws when it has not returned after a time that no sound call takes. */
export function ends<T>(run: () => T): T {
	const slot = globalThis as { fuzzed?: () => T };
	slot.fuzzed = run;
	try {
		return runInThisContext("fuzzed()", { timeout: hangMs }) as T;
	} finally {
		delete slot.fuzzed;
	}
}

/** What `run` returns, or throws when that is of one of these kinds; anything else it throws goes through. */
export function outcome<T>(
	run: () => T,
	...kinds: (new (
		...given: never[]
	) => Error)[]
): { readonly value: T } | { readonly refused: Error } {
	try {
		return { value: run() };
	} catch (error) {
		if (!kinds.some((kind) => error instanceof kind)) throw error;
		return { refused: error as Error };
	}
}

function numberOf(name: string): number | null {
	const text = process.env[name];
	if (text === undefined || text === "") return null;
	const number = Number(text);
	if (!Number.isSafeInteger(number) || number < 0)
		throw new RangeError(`${name} is ${text}, not a whole number`);
	return number;
}

/** Two tests with one seed must not draw the same. */
function streamOf(title: string): number {
	let hash = 0;
	for (const letter of title)
		hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0;
	return hash;
}
