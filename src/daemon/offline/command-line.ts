import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitCodes, OperatorError, reasonOf } from "../../errors.js";
import { readNodeConfig } from "../config.js";
import { jsonOf, type Streams, told } from "../doctor/command-line.js";
import {
	type DataDirectory,
	openDataDirectory,
} from "../doctor/data-directory.js";
import { Output } from "../doctor/output.js";
import { loadMachine } from "../machine-module.js";
import { withOwnRelease } from "../own-release.js";
import { release } from "../release.js";
import { exportDirectory } from "./export.js";
import { exitCodeOf, inspectDirectory } from "./inspect-directory.js";
import { endWithStdin } from "./parent.js";
import { restoreSnapshot } from "./restore.js";
import { SnapshotOnDisk } from "./snapshot-file.js";
import {
	directoryText,
	exportText,
	manifestText,
	restoreText,
	verifyText,
} from "./texts.js";
import { verifySnapshot } from "./verify.js";
import type { FileWord } from "./words.js";

/** What a command has to say, in JSON and for people, and its exit code. */
interface Said {
	readonly report: object;
	readonly text: string;
	readonly code: number;
}

interface Command {
	readonly usage: string;
	/** A file is given without a flag before it. */
	readonly takesFile: boolean;
	readonly flags: readonly string[];
	run(values: Values, file: string): Promise<Said>;
}

const snapshotCommands: Record<string, Command> = {
	inspect: {
		usage: "raftd snapshot inspect FILE",
		...{ takesFile: true, flags: ["json"] },
		run: async (_values, file) => {
			const { path, manifest } = shown(new SnapshotOnDisk(file));
			const report = { version: 1, file: path, manifest };
			return { report, text: manifestText(path, manifest), code: 0 };
		},
	},
	verify: {
		usage: "raftd snapshot verify FILE [--app app.js] [--scratch DIR]",
		...{ takesFile: true, flags: ["app", "scratch", "json"] },
		run: verify,
	},
	export: {
		usage: "raftd snapshot export --data-dir DIR --out FILE [--app app.js]",
		...{ takesFile: false, flags: ["data-dir", "out", "app", "json"] },
		run: exportTo,
	},
	restore: {
		usage:
			"raftd snapshot restore FILE --config node.yaml [--index-bump N] [--app app.js]",
		...{ takesFile: true, flags: ["config", "index-bump", "app", "json"] },
		run: restore,
	},
};

const inspectCommand: Command = {
	usage: "raftd inspect --data-dir DIR",
	...{ takesFile: false, flags: ["data-dir", "json"] },
	run: async (values) => {
		const report = await inspectDirectory(
			await directoryOf(values["data-dir"], inspectCommand.usage),
		);
		return { report, text: directoryText(report), code: exitCodeOf(report) };
	},
};

const options = {
	"data-dir": { type: "string" },
	out: { type: "string" },
	app: { type: "string" },
	scratch: { type: "string" },
	config: { type: "string", short: "c" },
	"index-bump": { type: "string" },
	json: { type: "boolean", default: false },
	"end-with-stdin": { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof parse>["values"];

/** Far more than a client can have seen of a cluster since the file was saved. */
const defaultIndexBump = 1_000_000;

/** Runs one of them; resolves with the exit code. An OperatorError is thrown, or with --json written as JSON. */
export async function runWithFiles(
	word: FileWord,
	argv: readonly string[],
	{ stdout }: Streams,
): Promise<number> {
	const output = new Output(stdout);
	const { command, rest } = commandOf(word, argv);
	const { values, file } = parse(command, rest);
	if (values["end-with-stdin"]) endWithStdin();
	try {
		const { report, text, code } = await command.run(values, file);
		await output.write(values.json ? jsonOf(report) : text);
		return code;
	} catch (error) {
		if (!(error instanceof OperatorError) || !values.json) throw error;
		await output.write(jsonOf({ error: told(error) }));
		return error.exitCode;
	}
}

function commandOf(word: FileWord, argv: readonly string[]) {
	if (word === "inspect") return { command: inspectCommand, rest: argv };
	const [name = "", ...rest] = argv;
	const command = Object.hasOwn(snapshotCommands, name)
		? snapshotCommands[name]
		: undefined;
	if (command !== undefined) return { command, rest };
	throw new OperatorError(
		"usage",
		name === ""
			? "it is not said what to do with a snapshot"
			: `raftd snapshot ${name} is no command`,
		{
			state: "nothing was changed",
			next: Object.values(snapshotCommands)
				.map(({ usage }) => usage)
				.join("; "),
		},
	);
}

function parse({ usage, flags, takesFile }: Command, argv: readonly string[]) {
	try {
		const { values, tokens, positionals } = parseArgs({
			...{ args: [...argv], options, tokens: true },
			allowPositionals: true,
		});
		const unknown = tokens.find(
			(token) =>
				token.kind === "option" &&
				!flags.includes(token.name) &&
				token.name !== "end-with-stdin",
		);
		if (unknown?.kind === "option")
			throw new Error(`it takes no ${unknown.rawName}`);
		const [file = "", ...more] = positionals;
		if (takesFile && file === "") throw new Error("no file is given");
		const surplus = takesFile ? more[0] : positionals[0];
		if (surplus !== undefined) throw new Error(`${surplus} is one too many`);
		return { values, file };
	} catch (cause) {
		throw new OperatorError("usage", reasonOf(cause), {
			...{ state: "nothing was changed", next: usage, cause },
		});
	}
}

function shown(file: SnapshotOnDisk) {
	return { path: file.path, manifest: file.manifest() };
}

async function verify(
	{ app, scratch = tmpdir() }: Values,
	file: string,
): Promise<Said> {
	const report = await verifySnapshot(file, {
		...{ machine: await machineOf(app), isBundled: app === undefined },
		...{ release, scratch },
	});
	const code = report.ok ? 0 : exitCodes.refused;
	return { report, text: verifyText(report), code };
}

async function exportTo(values: Values): Promise<Said> {
	const { usage } = snapshotCommands.export as Command;
	const { out, app } = values;
	if (out === undefined || out === "")
		throw new OperatorError("usage", "it is not said where the file is to be", {
			...{ state: "nothing was changed", next: usage },
		});
	const directory = await directoryOf(values["data-dir"], usage);
	const machine = await machineOf(app);
	const report = await exportDirectory(directory, { out, machine, release });
	return { report, text: exportText(report), code: 0 };
}

async function restore(values: Values, file: string): Promise<Said> {
	const { usage } = snapshotCommands.restore as Command;
	if (values.config === undefined || values.config === "")
		throw new OperatorError("usage", "it is not said for which node", {
			...{ state: "nothing was changed", next: usage },
		});
	const read = await readNodeConfig(resolve(values.config));
	const { config } = await withOwnRelease(read, import.meta.url);
	const report = await restoreSnapshot(file, {
		...{ config, release, indexBump: bumpOf(values["index-bump"]) },
		machine: await machineOf(values.app ?? config.app),
	});
	return { report, text: restoreText(report), code: 0 };
}

function machineOf(app: string | undefined) {
	return loadMachine(app === undefined ? null : resolve(app));
}

function bumpOf(text: string | undefined): number {
	if (text === undefined) return defaultIndexBump;
	const bump = Number(text);
	if (/^\d+$/.test(text) && Number.isSafeInteger(bump) && bump >= 1)
		return bump;
	throw new OperatorError(
		"usage",
		`--index-bump ${text} is no number above 0`,
		{
			state: "nothing was changed",
			next: "leave it out: the log then goes on 1000000 further; clients must never see it go back",
		},
	);
}

function directoryOf(
	path: string | undefined,
	usage: string,
): Promise<DataDirectory> {
	if (path !== undefined && path !== "") return openDataDirectory(path);
	throw new OperatorError("usage", "it is not said which data directory", {
		state: "nothing was changed",
		next: `${usage}; DIR is data in the node's configuration (node.yaml)`,
	});
}
