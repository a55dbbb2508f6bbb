import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Config, type Interfaces, run, settings } from "@oclif/core";
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

function flushed(stream: NodeJS.WriteStream): Promise<void> {
	return new Promise((resolve) => {
		stream.write("", () => resolve());
	});
}
