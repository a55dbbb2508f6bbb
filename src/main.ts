#!/usr/bin/env node
/**
 * raftctl's entry. The version is answered before anything heavy is loaded: scripts ask for it often, and a program
 * that is slow to say its name feels slow in everything.
 */
import { release } from "./cli/release.js";

const argv = process.argv.slice(2);
if (argv[0] === "--version" || argv[0] === "-V")
	process.stdout.write(`${release()}\n`);
else void runCommandLine();

/** Ends the process. */
async function runCommandLine(): Promise<void> {
	// oclif would load semver to compare its own package.json, which is not there once bundled.
	process.env.OCLIF_DISABLE_ENGINE_WARNING = "1";
	const { runCli } = await import("./cli/run.js");
	await runCli(argv, import.meta.url);
}
