import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { parseArgs } from "node:util";
import { exitCodes, OperatorError, reasonOf } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import { inspectSnapshot } from "../../storage/snapshots/inspect.js";
import { isSnapshot } from "../../storage/snapshots/place.js";
import { loadMachine } from "../machine-module.js";
import { type DataDirectory, openDataDirectory } from "./data-directory.js";
import { dumpLog } from "./dump.js";
import { dumpSnapshot } from "./dump-snapshot.js";
import { examine } from "./examine.js";
import { Output } from "./output.js";
import { replayDirectory } from "./replay.js";
import { replayText } from "./replay-text.js";
import { exitCodeOf } from "./report.js";
import { reportText } from "./report-text.js";
import type { OfflineWord } from "./words.js";

export interface Streams {
	readonly stdout: Writable;
	readonly stderr: Writable;
}

const commands = { doctor, dump, replay };

/**
 * Runs one of them; resolves with the exit code. An OperatorError is thrown, unless the output is for a machine: then it
 * is written there as docs/cli.md has it.
 */
export async function runOffline(
	word: OfflineWord,
	argv: readonly string[],
	streams: Streams,
): Promise<number> {
	const values = parse(word, argv);
	const output = new Output(streams.stdout);
	try {
		return await commands[word](values, output, (remark) =>
			streams.stderr.write(`raftd: ${remark}\n`),
		);
	} catch (error) {
		if (!(error instanceof OperatorError)) throw error;
		if (values.json) await output.write(jsonOf({ error: told(error) }));
		else if (values.ndjson) {
			const line = { version: 1, type: "error", error: told(error) };
			await output.write(`${JSON.stringify(line)}\n`);
		} else throw error;
		return error.exitCode;
	}
}

type Values = ReturnType<typeof parse>;
type Remark = (sentence: string) => void;

const flags = {
	doctor: ["data-dir", "json"],
	dump: ["data-dir", "from", "to", "snapshot", "app", "ndjson"],
	replay: ["data-dir", "app", "json"],
} as const;

const options = {
	"data-dir": { type: "string" },
	from: { type: "string" },
	to: { type: "string" },
	snapshot: { type: "string" },
	app: { type: "string" },
	json: { type: "boolean", default: false },
	ndjson: { type: "boolean", default: false },
} as const;

function parse(word: OfflineWord, argv: readonly string[]) {
	const next = `raftd ${word} --data-dir DIR; raftd --help has the rest`;
	try {
		const { values, tokens } = parseArgs({
			args: [...argv],
			options,
			tokens: true,
		});
		const unknown = tokens.find(
			(token) =>
				token.kind === "option" &&
				!(flags[word] as readonly string[]).includes(token.name),
		);
		if (unknown?.kind === "option")
			throw new Error(`${word} takes no ${unknown.rawName}`);
		return values;
	} catch (cause) {
		throw new OperatorError("usage", reasonOf(cause), { next, cause });
	}
}

async function doctor(
	{ "data-dir": path, json }: Values,
	output: Output,
): Promise<number> {
	const { report } = await examine(await opened("doctor", path));
	await output.write(json ? jsonOf(report) : `${reportText(report)}\n`);
	return exitCodeOf(report);
}

async function dump(
	values: Values,
	output: Output,
	remark: Remark,
): Promise<number> {
	const { ndjson, snapshot } = values;
	const [from, to, at] = [
		indexOf("--from", values.from),
		indexOf("--to", values.to),
		indexOf("--snapshot", snapshot),
	];
	if (at !== null && (from !== null || to !== null))
		throw new OperatorError(
			"usage",
			"--snapshot shows a snapshot, --from and --to entries of the log",
			{ next: "give one of them" },
		);
	if (from !== null && to !== null && from > to)
		throw new OperatorError(
			"usage",
			`--from ${from} is behind --to ${to}: there is nothing between them`,
			{ state: "nothing was looked at", next: `--from ${to} --to ${from}` },
		);
	const directory = await opened("dump", values["data-dir"]);
	const machine = await machineFor(directory, values.app, remark);
	if (at !== null) {
		await dumpSnapshot(directory, at, { ndjson, machine }, output);
		return 0;
	}
	const { remarks, isDamaged } = await dumpLog(
		directory,
		{ from, to, ndjson, machine },
		output,
	);
	// Who closed the pipe has seen what was wanted.
	if (output.isClosed) return 0;
	for (const sentence of remarks) remark(sentence);
	return isDamaged ? exitCodes.refused : 0;
}

async function replay(
	{ "data-dir": path, app, json }: Values,
	output: Output,
): Promise<number> {
	const directory = await opened("replay", path);
	const machine = await loadMachine(app === undefined ? null : resolve(app));
	const report = await replayDirectory(directory, machine);
	await output.write(json ? jsonOf(report) : `${replayText(report)}\n`);
	return report.difference === null ? 0 : exitCodes.refused;
}

function opened(
	word: string,
	path: string | undefined,
): Promise<DataDirectory> {
	if (path !== undefined && path !== "") return openDataDirectory(path);
	throw new OperatorError("usage", "it is not said which data directory", {
		state: "nothing was changed",
		next: `raftd ${word} --data-dir DIR; DIR is data in the node's configuration (node.yaml)`,
	});
}

/** The machine whose commands the log holds; null when it is another than the bundled one and was not given. */
async function machineFor(
	directory: DataDirectory,
	app: string | undefined,
	remark: Remark,
): Promise<Machine | null> {
	const machine = await loadMachine(app === undefined ? null : resolve(app));
	const said = machineIn(directory) ?? machine.name;
	if (said === machine.name) return machine;
	remark(
		`the commands are those of machine ${said}, not of ${machine.name}, and are shown as bytes: give its module with --app`,
	);
	return null;
}

/** As the newest snapshot names it; null when none does. */
function machineIn({ disk, snapshots }: DataDirectory): string | null {
	for (const name of disk.list(snapshots).filter(isSnapshot).sort().reverse()) {
		try {
			return inspectSnapshot(disk, snapshots, name, {}).machine;
		} catch {
			// One that is damaged says nothing; doctor tells what is wrong with it.
		}
	}
	return null;
}

function indexOf(flag: string, text: string | undefined): number | null {
	if (text === undefined) return null;
	const index = Number(text);
	if (/^\d+$/.test(text) && Number.isSafeInteger(index)) return index;
	throw new OperatorError("usage", `${flag} ${text} is not a raft index`, {
		next: "give a whole number",
	});
}

export function jsonOf(value: object): string {
	return `${JSON.stringify(value, null, 2)}\n`;
}

/** An error as docs/cli.md has it in JSON. */
export function told(error: OperatorError) {
	const { kind, message, node, problems, state, next } = error;
	return {
		...{ kind, message, ...(node === undefined ? {} : { node }) },
		...(problems.length === 0 ? {} : { problems }),
		...(state === undefined ? {} : { state }),
		...(next === undefined ? {} : { next }),
	};
}
