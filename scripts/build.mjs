/**
 * Builds dist/: the daemon, the balancer and what applications import as ESM bundles with shared chunks; the command line
 * as CommonJS, which starts sooner: the entry, all commands in one file, and what `--help` needs in another, the last two
 * with V8's compiled code beside them; the declarations of the entries that applications import; and oclif's manifest. `--fast` leaves the declarations out. Type errors are
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
import { join, resolve } from "node:path";
import { Plugin, settings } from "@oclif/core";
import { build } from "esbuild";
import {
	cachedCli,
	lazyBuiltins,
	lazyPackages,
	namedExports,
	sortedByCode,
	sourceLocations,
} from "./bundle-plugins.mjs";

const root = resolve(import.meta.dirname, "..");
const staging = join(
	root,
	"node_modules",
	".cache",
	`raftctl-build-${process.pid}`,
);
const fast = process.argv.includes("--fast");
const bins = ["raftctl.cjs", "src/daemon/main.js"];
/** Whose compiled code is kept, by a command line that runs through most of what is in it. */
const warmRuns = { "cli.cjs": ["status"], "help.cjs": ["--help"] };

async function main() {
	try {
		mkdirSync(staging, { recursive: true });
		copyFileSync(join(root, "package.json"), join(staging, "package.json"));
		await bundlePrograms();
		await bundleCli();
		await writeManifest();
		warmCli();
		if (!fast) emitDeclarations();
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

const cliPlugins = [
	...[sourceLocations, namedExports],
	...[lazyPackages, lazyBuiltins, sortedByCode],
];

/** What all bundles share. */
const bundle = {
	absWorkingDir: root,
	bundle: true,
	platform: "node",
	target: "node20",
	minifySyntax: true,
	minifyWhitespace: true,
	sourcemap: true,
	sourcesContent: false,
	logLevel: "warning",
	// Optional accelerators of ws and ssh2, absent on purpose, and tsx, which oclif asks for only to run from source.
	external: ["bufferutil", "utf-8-validate", "cpu-features", "tsx", "ts-node"],
	// Compiled for the machine that builds: without it ssh2 does the same in JavaScript.
	loader: { ".node": "empty" },
};

async function bundlePrograms() {
	await build({
		...bundle,
		...esm,
		entryPoints: [
			"src/daemon/main.ts",
			"src/storage/worker.ts",
			"src/storage/snapshots/worker.ts",
			"src/daemon/backup/worker.ts",
			"src/operations/bench/worker.ts",
			"src/balancers/embedded/main.ts",
			"src/client/index.ts",
			"src/machines/machine.ts",
		],
		outdir: join(staging, "dist"),
		plugins: [sourceLocations, namedExports],
	});
}

const esm = {
	outbase: root,
	format: "esm",
	splitting: true,
	chunkNames: "chunks/[name]-[hash]",
	// What CommonJS packages expect to find (ws, pino), and the place of dist/ seen from any chunk. Declared with `var`
	// under names of our own: a bundled module may declare `require` or `createRequire` itself.
	banner: {
		js: [
			'import{createRequire as __raftctlCreateRequire}from"node:module";',
			'import{fileURLToPath as __raftctlPath}from"node:url";',
			'const __dist=import.meta.url.slice(0,import.meta.url.lastIndexOf("/dist/")+6);',
			"var require=__raftctlCreateRequire(import.meta.url);",
			"var __filename=__raftctlPath(import.meta.url);",
			'var __dirname=__raftctlPath(new URL(".",import.meta.url));',
		].join(""),
	},
};

/** One file, so that one piece of compiled code covers it; commands are evaluated when they are asked for. */
async function bundleCli() {
	const commands = commandFiles("commands").map((path) => {
		const id = path.replace(/^commands\//, "").replace(/\.ts$/, "");
		return `${JSON.stringify(id.replaceAll("/", ":"))}: () => import("./${path}"),`;
	});
	await bundleCommonJs("cli.cjs", {
		stdin: runCliWith(`{ ${commands.join("\n")} }`),
		plugins: cliPlugins,
	});
	// The manifest knows all that help says of a command.
	await bundleCommonJs("help.cjs", {
		stdin: runCliWith("{}"),
		plugins: cliPlugins,
	});
	await bundleCommonJs("raftctl.cjs", {
		entryPoints: ["src/main.ts"],
		plugins: [cachedCli, sourceLocations, namedExports],
	});
	for (const bin of bins) chmodSync(join(staging, "dist", bin), 0o755);
}

function runCliWith(commands) {
	return {
		contents: `export { runCli } from "./src/cli/run.js";\nexport const commands = ${commands};`,
		resolveDir: root,
		sourcefile: "cli.ts",
	};
}

async function bundleCommonJs(name, options) {
	const outfile = join(staging, "dist", name);
	await build({
		...bundle,
		...options,
		outfile,
		format: "cjs",
		// V8's compiled code knows no loader: what Node.js has built in is required, just as late.
		supported: { "dynamic-import": false },
		banner: {
			js: 'const __raftctlUrl=require("node:url"),__raftctlPath=__raftctlUrl.fileURLToPath,__dist=__raftctlUrl.pathToFileURL(__dirname).href+"/";',
		},
	});
	// esbuild leaves regular expressions as they are. One character beyond ASCII makes the text twice as long in memory.
	const text = readFileSync(outfile, "utf8");
	writeFileSync(outfile, text.replace(/[^\0-\x7f]/g, escaped));
}

function escaped(character) {
	return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
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

/** oclif reads flags and descriptions off the commands as files; nobody needs those files afterwards. */
async function writeManifest() {
	const directory = join(staging, "manifest");
	mkdirSync(directory);
	copyFileSync(join(root, "package.json"), join(directory, "package.json"));
	await build({
		...bundle,
		...esm,
		entryPoints: commandFiles("commands"),
		outdir: join(directory, "dist"),
		plugins: [sourceLocations, namedExports],
	});
	settings.enableAutoTranspile = false;
	const plugin = new Plugin({
		root: directory,
		type: "core",
		isRoot: true,
		ignoreManifest: true,
		errorOnManifestCreate: true,
	});
	await plugin.load();
	const path = join(staging, "oclif.manifest.json");
	// What helps with a default is a constant, and in the manifest by now; help that asked for it again has no commands.
	const leave = (key, value) => (key === "hasDynamicHelp" ? undefined : value);
	writeFileSync(path, JSON.stringify(plugin.manifest, leave));
}

/** Runs a command once and keeps the code that V8 compiled for it. */
function warmCli() {
	for (const [name, argv] of Object.entries(warmRuns)) {
		const { status } = spawnSync(
			process.execPath,
			[
				join(root, "scripts", "warm-cli.mjs"),
				join(staging, "dist", name),
				...argv,
			],
			{ stdio: ["ignore", "ignore", "inherit"], cwd: staging },
		);
		if (status !== 0) throw new Error(`the warm run ended with ${status}`);
	}
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
