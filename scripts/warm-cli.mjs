/**
 * Runs `raftctl status` of a cluster that is not there, and writes the code that V8 compiled for it beside the bundle.
 * Give it the bundle.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadCli } from "./load-cli.mjs";

const [, , path] = process.argv;
const directory = dirname(path);
const config = join(directory, "..", "cluster.yaml");
writeFileSync(
	config,
	"name: warm\nid: warm-1\nnodes: [n1, n2, n3]\nportBase: 1024\nbalancer: embedded\n",
);
const { runCli, commands, script } = loadCli(path);
// The command line ends the process itself, and with 20 here: nobody answers.
process.on("exit", () => {
	writeFileSync(`${path}.compiled`, script.createCachedData());
	process.exitCode = 0;
});
const entry = pathToFileURL(join(directory, "src", "main.js")).href;
await runCli(["status", "--config", config], entry, commands);
