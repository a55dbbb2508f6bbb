// Machines to try raftctl on, and to test it on (test/lab; docs/lab.md).
import { resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
// What is bundled does not lie where the tests look for the program beside themselves.
process.env.RAFTCTL_MAIN ??= resolve(root, "dist/raftctl.cjs");
// Nothing is written: what root leaves in node_modules is in its owner's way later.
const { outputFiles } = await build({
	entryPoints: [resolve(root, "test/lab/main.ts")],
	write: false,
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	sourcemap: "inline",
	logLevel: "error",
	banner: {
		js: 'import { createRequire } from "node:module"; const require = createRequire("/");',
	},
});
process.setSourceMapsEnabled(true);
const code = Buffer.from(outputFiles[0].contents).toString("base64");
const { main } = await import(`data:text/javascript;base64,${code}`);
process.exitCode = await main(process.argv.slice(2), root);
