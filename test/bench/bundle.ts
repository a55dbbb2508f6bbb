import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "../..");

/** Makes one file that node runs of test/bench/`name`.ts; returns its path. */
export async function bundle(name: string): Promise<string> {
	const directory = join(root, "node_modules/.cache/raftctl-bench");
	mkdirSync(directory, { recursive: true });
	const outfile = join(directory, `${name}.mjs`);
	await build({
		entryPoints: [join(root, `test/bench/${name}.ts`)],
		outfile,
		bundle: true,
		platform: "node",
		format: "esm",
		target: "node20",
		logLevel: "error",
		external: ["bufferutil", "utf-8-validate", "esbuild"],
		banner: {
			js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
		},
	});
	return outfile;
}
