import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { risen } from "./counts.js";
import { chosenPieces, type Kind, kinds, type RunReport, run } from "./run.js";

const usage = `npm run torture:operations -- [--kills N] [--seed S] [--parallel N] [--operations a,b] [--kinds ${kinds.join()}] [--json]`;
/** Each cluster has the ports, the disks and the processes of six nodes. */
const maxParallel = 8;

/** Returns the exit code: 0 only for a run that is valid and in which nothing is wrong. */
export async function main(argv: readonly string[]): Promise<number> {
	const options = parse(argv);
	if (options === null) return 2;
	const directory = mkdtempSync(join(tmpdir(), "raftctl-torture-"));
	const tell = (line: string) => console.error(line);
	const ended = new AbortController();
	for (const signal of ["SIGINT", "SIGTERM"] as const)
		process.once(signal, () => {
			tell("ends after this round; once more ends it now");
			ended.abort();
			process.once(signal, () => process.exit(130));
		});
	const { signal } = ended;
	const report = await run({ ...options, directory, tell, signal });
	console.log(JSON.stringify(report.summary, null, options.json ? 0 : 2));
	return conclude(report, directory, tell);
}

/** Keeps everything of a failure, and nothing else. */
export function conclude(
	{ problems, summary }: RunReport,
	directory: string,
	tell: (line: string) => void,
): number {
	const all = [...problems, ...risen(summary)];
	if (all.length === 0) {
		rmSync(directory, { recursive: true, force: true });
		return 0;
	}
	writeFileSync(join(directory, "problems"), `${all.join("\n\n")}\n`);
	for (const problem of all) tell(problem);
	tell(`seed ${summary.seed}; logs and disks: ${directory}`);
	return 1;
}

function parse(argv: readonly string[]) {
	try {
		const { values } = parseArgs({
			args: [...argv],
			options: {
				kills: { type: "string", default: "1000" },
				seed: { type: "string", default: `${Date.now() % 1_000_000}` },
				operations: { type: "string", default: "" },
				parallel: { type: "string", default: "1" },
				kinds: { type: "string", default: kinds.join() },
				json: { type: "boolean", default: false },
			},
		});
		const operations = values.operations.split(",").filter(Boolean);
		chosenPieces(operations);
		return {
			kills: wholeNumber("kills", values.kills),
			seed: wholeNumber("seed", values.seed),
			kinds: kindsOf(values.kinds),
			parallel: parallelOf(values.parallel),
			...{ operations, json: values.json },
		};
	} catch (error) {
		console.error((error as Error).message);
		console.error(usage);
		return null;
	}
}

function wholeNumber(name: string, text: string): number {
	const number = Number(text);
	if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
	throw new Error(`--${name} is ${text}, no whole number`);
}

function parallelOf(text: string): number {
	const number = wholeNumber("parallel", text);
	if (number >= 1 && number <= maxParallel) return number;
	throw new Error(`--parallel is ${text}, not 1 to ${maxParallel}`);
}

function kindsOf(text: string): readonly Kind[] {
	const wanted = text.split(",");
	const unknown = wanted.find((one) => !kinds.some((kind) => kind === one));
	if (unknown === undefined) return kinds.filter((one) => wanted.includes(one));
	throw new Error(`no kind "${unknown}"; there are ${kinds.join(", ")}`);
}
