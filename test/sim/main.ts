import { parseArgs } from "node:util";
import { runBatch } from "./batch.js";
import { type BrokenRule, brokenRules } from "./broken.js";
import { type Mutant, mutants } from "./mutants.js";
import type { SeedResult } from "./run.js";
import { judge } from "./verdict.js";

const usage = `npm run sim -- [--seeds N] [--seed S] [--steps M] [--mutant NAME] [--without RULE] [--verbose] [--json]
  --seeds N    how many seeds (100)        --seed S   the first of them (1)
  --steps M    events under faults (10000) --json     one JSON object on stdout
  --mutant M   break a rule on purpose: ${Object.keys(mutants).join(", ")}
  --without R  leave out what the core relies on: ${Object.keys(brokenRules).join(", ")}
  --verbose    print every event; for one seed`;

function main(): number {
	const values = parse();
	if (values === null) return 2;
	const [seeds, first, steps] = [values.seeds, values.seed, values.steps].map(
		Number,
	) as [number, number, number];
	const whole = [seeds, first, steps].every(
		(value) => Number.isSafeInteger(value) && value >= 0,
	);
	if (
		values.help ||
		!whole ||
		!isNameOf(mutants, values.mutant) ||
		!isNameOf(brokenRules, values.without)
	) {
		console.error(usage);
		return values.help ? 0 : 2;
	}
	const settings = {
		steps,
		...(values.mutant === undefined ? {} : { mutant: values.mutant as Mutant }),
		...(values.without === undefined
			? {}
			: { broken: values.without as BrokenRule }),
		...(values.verbose ? { live: (line: string) => console.error(line) } : {}),
	};
	const beganMs = performance.now();
	const batch = runBatch(first, seeds, settings);
	const { coverage, failed } = batch;
	const seconds = (performance.now() - beganMs) / 1000;
	if (failed !== null) reportFailure(failed, steps, values.mutant);
	const { exitCode, judged, remarks } = judge(batch);
	for (const remark of remarks) console.error(remark);
	const stepsPerSecond = Math.round(batch.steps / seconds);
	const violations = failed === null ? 0 : 1;
	if (values.json)
		console.log(
			JSON.stringify({
				seeds: batch.seeds,
				steps: batch.steps,
				stepsPerSecond,
				violations,
				coverage,
				judged,
			}),
		);
	else
		console.log(
			`${batch.seeds} seeds, ${batch.steps} steps, ${stepsPerSecond} steps/s, ${violations} violations`,
		);
	return exitCode;
}

/** Nothing is a name of everything. */
function isNameOf(known: object, name: string | undefined): boolean {
	return name === undefined || name in known;
}

/** Null when the arguments make no sense; the reason is told. */
function parse() {
	try {
		return parseArgs({
			options: {
				seeds: { type: "string", default: "100" },
				seed: { type: "string", default: "1" },
				steps: { type: "string", default: "10000" },
				mutant: { type: "string" },
				without: { type: "string" },
				verbose: { type: "boolean", default: false },
				json: { type: "boolean", default: false },
				help: { type: "boolean", default: false },
			},
		}).values;
	} catch (error) {
		console.error((error as Error).message);
		console.error(usage);
		return null;
	}
}

function reportFailure(
	{ seed, failure }: SeedResult,
	steps: number,
	mutant: string | undefined,
): void {
	if (failure === null) return;
	const mutation = mutant === undefined ? "" : ` --mutant ${mutant}`;
	console.error(
		`seed ${seed} broke ${failure.invariant}\n  ${failure.message}\n\nlast events:`,
	);
	for (const line of failure.trace) console.error(`  ${line}`);
	console.error("\nnodes:");
	for (const line of failure.nodes) console.error(`  ${line}`);
	console.error(
		`\nreplay: npm run sim -- --seed ${seed} --seeds 1 --steps ${steps}${mutation}`,
	);
}

process.exitCode = main();
