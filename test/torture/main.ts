import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type RunReport, run } from "./run.js";

const usage =
	"npm run torture -- [--minutes N] [--seed S] [--nodes 3|5] [--json]";

/** Returns the exit code: 0 only for a run that is valid and in which nothing is wrong. */
export async function main(
	argv: readonly string[],
	root: string,
): Promise<number> {
	const options = parse(argv);
	if (options === null) return 2;
	for (const [signal, code] of [
		["SIGINT", 130],
		["SIGTERM", 143],
	] as const)
		process.once(signal, () => process.exit(code));
	const directory = mkdtempSync(join(tmpdir(), "raftd-torture-"));
	const tell = (line: string) => console.error(line);
	const report = await run({ ...options, root, directory, tell });
	console.log(JSON.stringify(report.summary, null, options.json ? 0 : 2));
	return conclude(report, directory, tell);
}

/** Keeps everything of a failure, and nothing else. */
export function conclude(
	{ problems, summary }: RunReport,
	directory: string,
	tell: (line: string) => void,
): number {
	if (problems.length === 0) {
		rmSync(directory, { recursive: true, force: true });
		return 0;
	}
	writeFileSync(join(directory, "problems"), `${problems.join("\n\n")}\n`);
	for (const problem of problems) tell(problem);
	tell(`seed ${summary.seed}; logs, disks and history: ${directory}`);
	return 1;
}

function parse(argv: readonly string[]): {
	durationMs: number;
	seed: number;
	nodes: number;
	json: boolean;
} | null {
	try {
		const { values } = parseArgs({
			args: [...argv],
			options: {
				minutes: { type: "string", default: "1" },
				seed: { type: "string", default: `${Date.now() % 1_000_000}` },
				nodes: { type: "string", default: "3" },
				json: { type: "boolean", default: false },
			},
		});
		const { minutes, seed, nodes, json } = values;
		return {
			durationMs: numberIn("minutes", minutes, [0.1, 1440]) * 60_000,
			seed: numberIn("seed", seed, [0, Number.MAX_SAFE_INTEGER]),
			nodes: numberIn("nodes", nodes, [3, 5]),
			json,
		};
	} catch (error) {
		console.error((error as Error).message);
		console.error(usage);
		return null;
	}
}

function numberIn(
	name: string,
	text: string,
	[low, high]: readonly [number, number],
): number {
	const number = Number(text);
	if (number >= low && number <= high) return number;
	throw new Error(`--${name} is ${text}, not ${low} to ${high}`);
}
