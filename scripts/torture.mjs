// Runs the torture of real processes (test/torture): bundled at once, as a run outlives any test runner's patience.
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
const bundle = join(
	root,
	"node_modules/.cache/raftctl-torture",
	`${process.pid}.mjs`,
);
await build({
	entryPoints: [join(root, "test/torture/main.ts")],
	outfile: bundle,
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	sourcemap: "inline",
	external: ["bufferutil", "utf-8-validate", "esbuild"],
	banner: {
		js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
	},
});
process.setSourceMapsEnabled(true);
try {
	const { main } = await import(pathToFileURL(bundle).href);
	process.exitCode = await main(process.argv.slice(2), root);
} finally {
	await rm(bundle, { force: true });
}
