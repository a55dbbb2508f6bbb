import { parseArgs } from "node:util";
import { type BrokenRule, brokenRules } from "./broken.js";
import { missingCoverage } from "./coverage.js";
import { type Mutant, mutants } from "./mutants.js";
import type { SeedResult } from "./run.js";
import { judge } from "./verdict.js";
import { runWatched, type WatchedResult } from "./watched-batch.js";

const usage = `npm run sim -- [--seeds N] [--seed S] [--steps M] [--mutant NAME] [--without RULE] [--verbose] [--json]
  --seeds N    how many seeds (100)        --seed S   the first of them (1)
  --steps M    events under faults (10000) --json     one JSON object on stdout
  --mutant M   break a rule on purpose: ${Object.keys(mutants).join(", ")}
  --without R  leave out what the core relies on: ${Object.keys(brokenRules).join(", ")}
  --verbose    print every event; for one seed`;

async function main(): Promise<number> {
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
	const batch = await runWatched(first, seeds, settings);
	if (batch.failed !== null) reportFailure(batch.failed, values);
	return conclude(batch, values.json);
}

/** Says what the batch came to; returns the exit code. */
function conclude(batch: WatchedResult, json: boolean): number {
	const { seeds, steps, stepsPerSecond, coverage, failed } = batch;
	const { exitCode, judged, remarks } = judge(batch);
	for (const remark of remarks) console.error(remark);
	const violations = failed === null ? 0 : 1;
	const kinds = Object.keys(coverage).length;
	const seen = kinds - missingCoverage(coverage).length;
	if (json) {
		const report = { seeds, steps, stepsPerSecond, violations };
		console.log(JSON.stringify({ ...report, coverage, judged }));
	} else
		console.log(
			`${seeds} seeds, ${steps} steps, ${stepsPerSecond} steps/s, ${violations} violations, ${seen} of ${kinds} kinds of events`,
		);
	if (batch.interruptedBy === null) return exitCode;
	console.error(`interrupted by ${batch.interruptedBy}`);
	return batch.interruptedBy === "SIGINT" ? 130 : 143;
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
	given: {
		readonly steps: string;
		readonly mutant?: string;
		readonly without?: string;
	},
): void {
	if (failure === null) return;
	const { steps, mutant, without } = given;
	const mutation = mutant === undefined ? "" : ` --mutant ${mutant}`;
	const omission = without === undefined ? "" : ` --without ${without}`;
	console.error(
		`seed ${seed} broke ${failure.invariant}\n  ${failure.message}\n\nlast events:`,
	);
	for (const line of failure.trace) console.error(`  ${line}`);
	console.error("\nnodes:");
	for (const line of failure.nodes) console.error(`  ${line}`);
	console.error(
		`\nreplay: npm run sim -- --seed ${seed} --seeds 1 --steps ${steps}${mutation}${omission}`,
	);
}

process.exitCode = await main();
