/** Takes the place of src/cli/run.ts in the bundled main.ts; `__dist` is the build's name for dist/. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadCli } from "./load-cli.mjs";

/* global __dist */
const path = fileURLToPath(`${__dist}cli.cjs`);
const cli = loadCli(path, compiledCode(`${path}.compiled`));

/** Runs one command line, by the commands of the bundle. */
export function runCli(argv, entry) {
	return cli.runCli(argv, entry, cli.commands);
}

function compiledCode(file) {
	try {
		return readFileSync(file);
	} catch {
		return undefined;
	}
}
