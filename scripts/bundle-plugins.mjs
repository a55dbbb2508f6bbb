/** What esbuild is taught for our build. Used by build.mjs. */
// @peculiar/x509 says its names only where this was loaded before.
import "reflect-metadata";
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";

const root = resolve(import.meta.dirname, "..");

/**
 * Splitting moves code into chunks, where `import.meta.url` would name the chunk. Sources of ours get the place their
 * own file would have in dist/, so that `new URL("./worker.js", import.meta.url)` means the same there as here.
 */
export const sourceLocations = {
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
export const namedExports = {
	name: "named-exports",
	setup({ onLoad, onResolve, resolve: resolveModule }) {
		const namespace = "named-exports";
		onResolve({ filter: /^[@a-z]/ }, async ({ path, kind, resolveDir }) => {
			// Packages know how to import each other.
			if (
				kind !== "dynamic-import" ||
				!resolveDir.startsWith(root) ||
				resolveDir.includes("node_modules")
			)
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
 * What oclif requires at its start and uses only without a manifest (tinyglobby, lilconfig), with foreign plugins
 * (minimatch), or in help and in errors (ejs and those that lay out text). Evaluated at the first use instead: together
 * they are a tenth of a short command's time.
 */
export const lazyPackages = {
	name: "lazy-packages",
	setup({ onLoad, onResolve }) {
		const namespace = "lazy-packages";
		onResolve(
			{
				filter:
					/^(clean-stack|ejs|indent-string|lilconfig|minimatch|string-width|tinyglobby|widest-line|wrap-ansi)$/,
			},
			({ path, importer, resolveDir, namespace: from }) =>
				from !== namespace && importer.includes("@oclif/core")
					? { path, namespace, pluginData: { resolveDir } }
					: undefined,
		);
		onLoad({ filter: /.*/, namespace }, ({ path, pluginData }) => {
			const whole = `require(${JSON.stringify(path)})`;
			// Some are functions. Asked by the importer whether they were modules once, all say no, which is so.
			const contents = `module.exports = new Proxy(function () {}, { get: (_, key) => key === "__esModule" ? false : ${whole}[key], apply: (_, self, given) => Reflect.apply(${whole}, self, given) });`;
			return { contents, resolveDir: pluginData.resolveDir };
		});
	},
};

/**
 * Parts of Node.js that most commands import somewhere and few use. Each name is looked up when it is used; loading
 * crypto alone is a fiftieth of a short command's time.
 */
export const lazyBuiltins = {
	name: "lazy-builtins",
	setup({ onLoad, onResolve }) {
		const namespace = "lazy-builtins";
		onResolve(
			{ filter: /^(node:)?(crypto|child_process|readline)$/ },
			({ path, namespace: from }) =>
				from === namespace
					? { path, external: true }
					: { path: path.replace(/^node:/, ""), namespace },
		);
		onLoad({ filter: /.*/, namespace }, async ({ path }) => {
			const names = Object.keys((await import(`node:${path}`)).default);
			const contents = `for (const name of ${JSON.stringify(names)}) Object.defineProperty(exports, name, { enumerable: true, get: () => require("node:${path}")[name] });`;
			return { contents, resolveDir: root };
		});
	},
};

const comparison = "a.id.localeCompare(b.id)";

/**
 * oclif sorts the commands by the rules of a language at each start; loading these takes a twentieth of a short
 * command's time, and for names of ASCII they say the same as their codes.
 */
export const sortedByCode = {
	name: "sorted-by-code",
	setup({ onLoad }) {
		onLoad({ filter: /@oclif\/core\/lib\/config\/plugin\.js$/ }, ({ path }) => {
			const text = readFileSync(path, "utf8");
			if (!text.includes(comparison))
				throw new Error(`${path} no longer has ${comparison}`);
			return {
				contents: text.replace(comparison, "(a.id < b.id ? -1 : 1)"),
				loader: "js",
			};
		});
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

/**
 * Gives `import("./cli/run.js")` in main.ts the bundle of the whole command line, compiled once (load-cli.mjs), in
 * place of the source.
 */
export const cachedCli = {
	name: "cached-cli",
	setup({ onResolve }) {
		onResolve({ filter: /^\.\/cli\/run\.js$/ }, ({ importer }) =>
			importer === join(root, "src", "main.ts")
				? { path: join(root, "scripts", "cached-cli.mjs") }
				: undefined,
		);
	},
};
