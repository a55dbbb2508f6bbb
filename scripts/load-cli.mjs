import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import vm from "node:vm";

/**
 * Evaluates a CommonJS bundle, from V8's compiled code where that fits this Node.js; V8 itself rejects what does not,
 * and compiles anew. Compiling is half of what a short command takes.
 */
export function loadCli(path, compiled) {
	// It is ASCII (build.mjs), and read as such in a third of the time.
	const source = readFileSync(path, "latin1");
	const script = new vm.Script(
		`(function (exports, require, module, __filename, __dirname) { ${source}\n})`,
		{
			filename: path,
			cachedData: compiled,
			importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
		},
	);
	const module = { exports: {} };
	script.runInThisContext()(
		module.exports,
		createRequire(path),
		module,
		path,
		dirname(path),
	);
	return { ...module.exports, script };
}
