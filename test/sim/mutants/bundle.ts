import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { build, type Plugin } from "esbuild";
import { type CoreMutant, mutate } from "./patch.js";

/** Oracles must not judge a bug by the same bug: what they take from the core, they take from a copy without it. */
const pristine = "pristine";

/** Bundles the hunt for one mutant; null for the core as it is. Throws when the mutant no longer fits the sources. */
export async function bundleHunt(options: {
	readonly root: string;
	readonly mutant: CoreMutant | null;
	readonly outfile: string;
}): Promise<void> {
	const { root, mutant, outfile } = options;
	const applied = new Set<string>();
	await build({
		absWorkingDir: root,
		entryPoints: ["test/sim/mutants/hunt.ts"],
		outfile,
		bundle: true,
		platform: "node",
		format: "esm",
		target: "node20",
		sourcemap: "inline",
		logLevel: "silent",
		plugins: [pristineOracles(root), mutation(root, mutant, applied)],
	});
	for (const { file } of mutant?.edits ?? []) {
		if (!applied.has(file))
			throw new Error(
				`mutant ${mutant?.name}: ${file} is no part of the simulator`,
			);
	}
}

/** Of each mutant that no longer fits the sources: why. */
export async function misfits(
	root: string,
	mutants: readonly CoreMutant[],
): Promise<string[]> {
	const found: string[] = [];
	for (const mutant of mutants) {
		for (const file of new Set(mutant.edits.map(({ file }) => file))) {
			try {
				mutate(mutant, file, await readFile(join(root, file), "utf8"));
			} catch (error) {
				found.push((error as Error).message);
			}
		}
	}
	return found;
}

/** The simulator's own questions to the core's arithmetic (who is a quorum, what a change amounts to). */
function pristineOracles(root: string): Plugin {
	return {
		name: "pristine-oracles",
		setup({ onResolve, onLoad }) {
			onResolve({ filter: /^\.\.?\// }, ({ path, importer, namespace }) => {
				const target = resolve(dirname(importer), path);
				const file = target.replace(/\.js$/, ".ts");
				if (namespace === pristine) return { path: file, namespace };
				const isAsked =
					nameOf(root, importer).startsWith("test/sim/") &&
					nameOf(root, file).startsWith("src/raft/") &&
					nameOf(root, file) !== "src/raft/raft.ts";
				return isAsked ? { path: file, namespace: pristine } : undefined;
			});
			onLoad({ filter: /.*/, namespace: pristine }, async ({ path }) => ({
				contents: await readFile(path, "utf8"),
				loader: "ts",
			}));
		},
	};
}

function mutation(
	root: string,
	mutant: CoreMutant | null,
	applied: Set<string>,
): Plugin {
	const files = new Set(mutant?.edits.map(({ file }) => file));
	return {
		name: "mutation",
		setup({ onLoad }) {
			onLoad({ filter: /\.ts$/ }, async ({ path }) => {
				const file = nameOf(root, path);
				if (mutant === null || !files.has(file)) return undefined;
				applied.add(file);
				const source = await readFile(path, "utf8");
				return { contents: mutate(mutant, file, source), loader: "ts" };
			});
		},
	};
}

function nameOf(root: string, path: string): string {
	return relative(root, path).split(sep).join("/");
}

/** Where bundles lie while they are run: under the packages, where nobody looks for sources. */
export function bundleDirectory(root: string): string {
	return join(root, "node_modules", ".cache", `sim-mutants-${process.pid}`);
}
