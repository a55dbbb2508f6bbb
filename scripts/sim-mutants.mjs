// Checks that the simulator (test/sim) catches deliberate bugs: test/sim/mutants.
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
// Beside the packages: the bundle imports one of them.
const bundle = join(
	root,
	"node_modules",
	".cache",
	`sim-mutants-main-${process.pid}.mjs`,
);
await build({
	absWorkingDir: root,
	entryPoints: ["test/sim/mutants/main.ts"],
	outfile: bundle,
	bundle: true,
	packages: "external",
	platform: "node",
	format: "esm",
	target: "node20",
	sourcemap: "inline",
});
process.setSourceMapsEnabled(true);
try {
	const { main } = await import(pathToFileURL(bundle).href);
	process.exitCode = await main(root, process.argv.slice(2));
} finally {
	await rm(bundle, { force: true });
}
