/** Takes the place of src/cli/run.ts in the bundled main.ts; `__dist` is the build's name for dist/. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadCli } from "./load-cli.mjs";

/* global __dist */

/** Runs one command line, by the commands of the bundle. */
export function runCli(argv, entry) {
	const name = asksForHelp(argv) ? "help.cjs" : "cli.cjs";
	const path = fileURLToPath(__dist + name);
	const cli = loadCli(path, compiledCode(`${path}.compiled`));
	return cli.runCli(argv, entry, cli.commands);
}

/** As oclif takes it: its help needs no command, and any other command line does. */
function asksForHelp(argv) {
	if (argv.length === 0 || argv[0] === "help") return true;
	const end = argv.indexOf("--");
	const flags = end < 0 ? argv : argv.slice(0, end);
	return flags.includes("--help") || flags.includes("-h");
}

function compiledCode(file) {
	try {
		return readFileSync(file);
	} catch {
		return undefined;
	}
}
