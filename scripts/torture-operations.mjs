// Runs the torture of operations (test/torture-operations): the built raftctl, killed at every step of everything it does.
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
const cache = join(root, "node_modules/.cache/raftctl-torture");
const bundle = join(cache, `operations-${process.pid}.mjs`);
mkdirSync(cache, { recursive: true });
// The bundle lies elsewhere than the tests that look for the program beside themselves.
process.env.RAFTCTL_MAIN ??= join(root, "dist/raftctl.cjs");
await build({
	entryPoints: [join(root, "test/torture-operations/main.ts")],
	outfile: bundle,
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	sourcemap: "inline",
	external: ["bufferutil", "utf-8-validate"],
	banner: {
		js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
	},
});
process.setSourceMapsEnabled(true);
try {
	const { main } = await import(pathToFileURL(bundle).href);
	process.exitCode = await main(process.argv.slice(2));
} finally {
	await rm(bundle, { force: true });
}
