// Runs the simulator (test/sim): bundled at once, because starting through a test runner would take longer than a batch.
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const bundle = join(tmpdir(), `raft-sim-${process.pid}.mjs`);
await build({
	entryPoints: [fileURLToPath(new URL("../test/sim/main.ts", import.meta.url))],
	outfile: bundle,
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	sourcemap: "inline",
});
process.setSourceMapsEnabled(true);
try {
	await import(pathToFileURL(bundle).href);
} finally {
	await rm(bundle, { force: true });
}
