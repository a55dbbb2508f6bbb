import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Config, type Interfaces, run, settings } from "@oclif/core";
import { OperatorError } from "../errors.js";
import { BundledCommands, type CommandModules } from "./bundled-commands.js";
import { wantsColour } from "./colours.js";
import { reportFailure } from "./failure.js";
import { interruption } from "./interruption.js";
import { presentationOf } from "./output.js";

/**
 * Runs one command line to its end and exits with its code. `entry` is the URL of the bin file: the package is found
 * from there. `commands` is what the build bundled; without it, commands are files in dist/commands.
 */
export async function runCli(
	argv: readonly string[],
	entry: string,
	commands: CommandModules | null = null,
): Promise<never> {
	// Sources are never transpiled on the way: what runs is what was built.
	settings.enableAutoTranspile = false;
	silenceColours();
	ignoreClosedPipe(process.stderr);
	const unwritten = keepLosses(process.stdout);
	interruption.listen();
	let code = 0;
	const options = () => loadOptions(entry, commands);
	try {
		await run(spellOut(argv), await options());
		code = Number(process.exitCode ?? 0);
	} catch (thrown) {
		const error = await inOurWords(thrown, argv, options);
		const { exitCode } = interruption;
		code = await reportFailure(error, presentationOf(argv), exitCode);
	}
	await flushed(process.stdout);
	const loss = unwritten();
	if (loss !== null) code = await tellLoss(loss, code);
	await flushed(process.stderr);
	// A keep-alive connection or a timer left over must not hold the terminal.
	process.exit(code);
}

/** What oclif says of a wrong command line, said by us; anything else as it is. */
async function inOurWords(
	error: unknown,
	argv: readonly string[],
	options: () => Promise<Interfaces.LoadOptions>,
): Promise<unknown> {
	const { isTypedWrongly, usageError } = await import("./usage-error.js");
	if (!isTypedWrongly(error)) return error;
	return usageError(error, argv, await Config.load(await options()));
}

async function loadOptions(
	entry: string,
	commands: CommandModules | null,
): Promise<Interfaces.LoadOptions> {
	const root = dirname(fileURLToPath(entry));
	if (commands === null) return { root };
	const plugin = new BundledCommands(root, commands);
	await plugin.load();
	return { root: plugin.root, plugins: new Map([[plugin.name, plugin]]) };
}

/** `raftctl help status` means `raftctl status --help`. */
function spellOut(argv: readonly string[]): string[] {
	return argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
}

/** oclif's and listr2's own colours decide by NO_COLOR alone; help piped to a file must be plain as well. */
function silenceColours(): void {
	if (!wantsColour(process.stdout, process.env)) {
		process.env.NO_COLOR = "1";
		delete process.env.FORCE_COLOR;
	}
}

/** A reader that left (`raftctl … 2>&1 | head`) ends the output, not the operation. */
function ignoreClosedPipe(stream: NodeJS.WriteStream): void {
	stream.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code !== "EPIPE") throw error;
	});
}

/**
 * A full disk behind `> file` ends the output, not the operation: what is thrown here would kill it in the midst of a step.
 * oclif's own listener throws. Returns what was the matter first, or null.
 */
function keepLosses(stream: NodeJS.WriteStream): () => Error | null {
	let first: Error | null = null;
	stream.removeAllListeners("error");
	stream.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code !== "EPIPE") first ??= error;
	});
	return () => first;
}

/** Whoever reads the result has none, or half of one: that is no success. */
async function tellLoss(cause: Error, code: number): Promise<number> {
	const error = new OperatorError(
		"unexpected",
		`the output could not be written: ${cause.message}`,
		{
			state:
				code === 0
					? "what was asked for is done"
					: `the command ended with ${code}`,
			next: "make room where the output goes, or look with raftctl status",
			cause,
		},
	);
	const told = await reportFailure(error, onTerminal, null);
	return code === 0 ? told : code;
}

const onTerminal = { output: "table", verbose: false } as const;

function flushed(stream: NodeJS.WriteStream): Promise<void> {
	return new Promise((resolve) => {
		stream.write("", () => resolve());
	});
}
