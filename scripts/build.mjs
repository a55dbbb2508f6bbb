/**
 * Builds dist/: every program and command as one ESM bundle with shared chunks, the declarations of the two entries
 * that applications import, and oclif's manifest. `--fast` leaves the declarations out. Type errors are
 * `npm run typecheck`'s business.
 *
 * All is made in a directory beside and swapped in at the end: a failed build leaves the last good one.
 */
import { spawnSync } from "node:child_process";
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Plugin, settings } from "@oclif/core";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
const staging = join(
	root,
	"node_modules",
	".cache",
	`raftctl-build-${process.pid}`,
);
const fast = process.argv.includes("--fast");
const bins = ["src/main.js", "src/daemon/main.js"];

async function main() {
	try {
		mkdirSync(staging, { recursive: true });
		copyFileSync(join(root, "package.json"), join(staging, "package.json"));
		await bundle();
		if (!fast) emitDeclarations();
		await writeManifest();
		swapIn();
	} catch (error) {
		console.error(
			`The build failed: ${error instanceof Error ? error.message : error}`,
		);
		process.exitCode = 1;
	} finally {
		rmSync(staging, { recursive: true, force: true });
	}
}

async function bundle() {
	await build({
		absWorkingDir: root,
		entryPoints: entryPoints(),
		outbase: root,
		outdir: join(staging, "dist"),
		bundle: true,
		splitting: true,
		chunkNames: "chunks/[name]-[hash]",
		format: "esm",
		platform: "node",
		target: "node20",
		minifySyntax: true,
		minifyWhitespace: true,
		sourcemap: true,
		sourcesContent: false,
		logLevel: "warning",
		// Optional accelerators of ws, absent on purpose, and tsx, which oclif asks for only to run from source.
		external: ["bufferutil", "utf-8-validate", "tsx", "ts-node"],
		banner: { js: banner },
		plugins: [sourceLocations, namedExports, lazyPackages],
	});
	for (const bin of bins) {
		const path = join(staging, "dist", bin);
		if (existsSync(path)) chmodSync(path, 0o755);
	}
}

function entryPoints() {
	const programs = [
		"src/main.ts",
		"src/daemon/main.ts",
		"src/storage/worker.ts",
		"src/balancers/embedded/main.ts",
		"src/client/index.ts",
		"src/machines/machine.ts",
	].filter((path) => existsSync(join(root, path)));
	return [...programs, ...commandFiles("commands")];
}

function commandFiles(directory) {
	return readdirSync(join(root, directory), { withFileTypes: true }).flatMap(
		(entry) => {
			const path = `${directory}/${entry.name}`;
			if (entry.isDirectory()) return commandFiles(path);
			return path.endsWith(".ts") ? [path] : [];
		},
	);
}

/**
 * What CommonJS packages expect to find (oclif, yaml, ws, pino), and the place of dist/ seen from any chunk.
 * Declared with `var` under names of our own: a bundled module may declare `require` or `createRequire` itself.
 */
const banner = [
	'import{createRequire as __raftctlCreateRequire}from"node:module";',
	'import{fileURLToPath as __raftctlPath}from"node:url";',
	'const __dist=import.meta.url.slice(0,import.meta.url.lastIndexOf("/dist/")+6);',
	"var require=__raftctlCreateRequire(import.meta.url);",
	"var __filename=__raftctlPath(import.meta.url);",
	'var __dirname=__raftctlPath(new URL(".",import.meta.url));',
].join("");

/**
 * Splitting moves code into chunks, where `import.meta.url` would name the chunk. Sources of ours get the place their
 * own file would have in dist/, so that `new URL("./worker.js", import.meta.url)` means the same there as here.
 */
const sourceLocations = {
	name: "source-locations",
	setup({ onLoad }) {
		onLoad({ filter: /\.ts$/ }, ({ path }) => {
			const name = relative(root, path).split(sep).join("/");
			if (!/^(src|commands)\//.test(name)) return undefined;
			const url = `(__dist+${JSON.stringify(name.replace(/\.ts$/, ".js"))})`;
			const contents = readFileSync(path, "utf8")
				// The object `z` holds on to all of zod, forty languages included; the namespace to what is used.
				.replace(/^import \{ z \} from "zod";/m, 'import * as z from "zod";')
				.replaceAll("import.meta.url", url)
				.replaceAll("import.meta.filename", `__raftctlPath(${url})`)
				.replaceAll(
					"import.meta.dirname",
					`__raftctlPath(new URL(".",${url})).slice(0,-1)`,
				);
			return { contents, loader: "ts" };
		});
	},
};

/**
 * `await import("yaml")` of a CommonJS package gives Node.js its names but a bundle only `default`. The names are
 * asked of Node.js here and spelled out in between.
 */
const namedExports = {
	name: "named-exports",
	setup({ onLoad, onResolve, resolve: resolveModule }) {
		const namespace = "named-exports";
		onResolve({ filter: /^[@a-z]/ }, async ({ path, kind, resolveDir }) => {
			if (kind !== "dynamic-import" || !resolveDir.startsWith(root))
				return undefined;
			if (isBuiltin(path)) return undefined;
			const { path: file } = await resolveModule(path, {
				kind: "import-statement",
				resolveDir,
			});
			return isCommonJs(file)
				? { path, namespace, pluginData: { resolveDir } }
				: undefined;
		});
		onLoad({ filter: /.*/, namespace }, async ({ path, pluginData }) => {
			const names = Object.keys(await import(path)).filter((name) =>
				/^[A-Za-z_$][\w$]*$/.test(name),
			);
			const contents = `export { ${names.join(", ")} } from ${JSON.stringify(path)};`;
			return { contents, resolveDir: pluginData.resolveDir };
		});
	},
};

/**
 * What oclif requires at its start and uses only without a manifest (tinyglobby, lilconfig) or with foreign plugins
 * (minimatch). Evaluated at the first use instead: it is a twentieth of a short command's time.
 */
const lazyPackages = {
	name: "lazy-packages",
	setup({ onLoad, onResolve }) {
		const namespace = "lazy-packages";
		onResolve(
			{ filter: /^(tinyglobby|lilconfig|minimatch)$/ },
			({ path, importer, resolveDir, namespace: from }) =>
				from !== namespace && importer.includes("@oclif/core")
					? { path, namespace, pluginData: { resolveDir } }
					: undefined,
		);
		onLoad({ filter: /.*/, namespace }, ({ path, pluginData }) => ({
			contents: `module.exports = new Proxy({}, { get: (_, key) => require(${JSON.stringify(path)})[key] });`,
			resolveDir: pluginData.resolveDir,
		}));
	},
};

function isCommonJs(file) {
	if (!file.endsWith(".js")) return file.endsWith(".cjs");
	let directory = dirname(file);
	while (!existsSync(join(directory, "package.json")))
		directory = dirname(directory);
	const { type } = JSON.parse(
		readFileSync(join(directory, "package.json"), "utf8"),
	);
	return type !== "module";
}

function emitDeclarations() {
	const { status, stdout } = spawnSync(
		process.execPath,
		[
			join(root, "node_modules/typescript/bin/tsc"),
			"--project",
			join(root, "scripts/tsconfig.declarations.json"),
			"--outDir",
			join(staging, "dist/types"),
		],
		{ encoding: "utf8" },
	);
	if (status !== 0)
		throw new Error(`the declarations have type errors\n${stdout}`);
}

async function writeManifest() {
	settings.enableAutoTranspile = false;
	const plugin = new Plugin({
		root: staging,
		type: "core",
		isRoot: true,
		ignoreManifest: true,
		errorOnManifestCreate: true,
	});
	await plugin.load();
	const path = join(staging, "oclif.manifest.json");
	writeFileSync(path, JSON.stringify(plugin.manifest));
}

function swapIn() {
	const dist = join(root, "dist");
	if (existsSync(dist)) renameSync(dist, join(staging, "previous"));
	renameSync(join(staging, "dist"), dist);
	renameSync(
		join(staging, "oclif.manifest.json"),
		join(root, "oclif.manifest.json"),
	);
}

await main();
