/**
 * Runs a command line, where it needs one beside the file of a cluster that is not there, and writes the code that V8
 * compiled for it beside the bundle. Give it the bundle, then the arguments of raftctl.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadCli } from "./load-cli.mjs";

const [, , path, ...argv] = process.argv;
const directory = dirname(path);
writeFileSync(
	"cluster.yaml",
	"name: warm\nid: warm-1\nnodes: [n1, n2, n3]\nportBase: 1024\nbalancer: embedded\n",
);
const { runCli, commands, compiled } = loadCli(path);
// The command line ends the process itself, and with 20 here: nobody answers.
process.on("exit", () => {
	writeFileSync(`${path}.compiled`, compiled());
	process.exitCode = 0;
});
const entry = pathToFileURL(join(directory, "raftctl.cjs")).href;
await runCli(argv, entry, commands);
