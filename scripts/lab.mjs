// Machines to try raftctl on, and to test it on (test/lab; docs/lab.md).
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
const bundle = join(
	root,
	"node_modules/.cache/raftctl-lab-command",
	`${process.pid}.mjs`,
);
await build({
	entryPoints: [join(root, "test/lab/main.ts")],
	outfile: bundle,
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	packages: "external",
	sourcemap: "inline",
	logLevel: "error",
});
process.setSourceMapsEnabled(true);
let main;
try {
	({ main } = await import(pathToFileURL(bundle).href));
} finally {
	await rm(bundle, { force: true });
}
process.exitCode = await main(process.argv.slice(2), root);
