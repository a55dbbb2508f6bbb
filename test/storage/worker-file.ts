import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll } from "vitest";

export const sources = resolve(import.meta.dirname, "../../src/storage");

export function temporaryDirectory(): string {
	const directory = mkdtempSync(join(tmpdir(), "raftctl-storage-"));
	made.push(directory);
	return directory;
}

const made: string[] = [];

afterAll(() => {
	for (const directory of made.splice(0))
		rmSync(directory, { recursive: true, force: true });
});

/** Compiles a file of this repository, with all that it imports, as the build does; returns the result's URL. */
export async function compiled(entryPoint: string): Promise<URL> {
	const outfile = join(temporaryDirectory(), "compiled.mjs");
	const options = { bundle: true, platform: "node", target: "node20" } as const;
	await build({
		entryPoints: [entryPoint],
		outfile,
		format: "esm",
		...options,
	});
	return pathToFileURL(outfile);
}
