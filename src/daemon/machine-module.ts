import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { OperatorError, reasonOf } from "../errors.js";
import type { Machine } from "../machines/machine.js";
import { machineFaults } from "../machines/shape.js";

/**
 * The machine that this node runs: the default export of the module at `path`, or the bundled key-value machine for
 * null. Throws OperatorError "config" that lists everything that is wrong with its shape.
 */
export async function loadMachine(path: string | null): Promise<Machine> {
	if (path === null) {
		const { kv } = await import("../machines/kv/machine.js");
		return kv as Machine;
	}
	let module: { default?: unknown };
	try {
		module = await import(pathToFileURL(path).href);
	} catch (cause) {
		const missing = missingPackage(cause);
		if (missing !== null) throw packageMissing(path, missing, cause);
		throw new OperatorError("config", `cannot load the application ${path}`, {
			problems: [reasonOf(cause)],
			next: "set app in the node's configuration to a module that node can import",
			cause,
		});
	}
	const problems = machineFaults(module.default);
	if (problems.length === 0) return module.default as Machine;
	throw new OperatorError("config", `${path} does not export a state machine`, {
		problems,
		next: "export default defineMachine({...}) from raftctl/machine",
	});
}

/** The package that somebody imports and that is nowhere; null for every other fault. By Node.js's own words. */
function missingPackage(cause: unknown): string | null {
	const message = reasonOf(cause);
	// What is behind its name is a path in it.
	const [, name = null] =
		/^Cannot find package '((?:@[^/']+\/)?[^/']+)/.exec(message) ??
		/^Cannot find module '((?:@[^/'.]+\/)?[^/'.]+)[^']*'\nRequire/.exec(
			message,
		) ??
		[];
	return name;
}

function packageMissing(
	path: string,
	name: string,
	cause: unknown,
): OperatorError {
	const directory = dirname(path);
	const modules = join(directory, "node_modules");
	return new OperatorError(
		"config",
		`the application ${path} imports ${name}, which is neither in ${modules} nor in a node_modules above it`,
		{
			problems: [reasonOf(cause).split("\n")[0] ?? ""],
			next:
				name === "raftctl"
					? `mkdir -p ${modules} && ln -s ${packageRoot()} ${join(modules, name)}`
					: `npm install --prefix ${directory} ${name}`,
			cause,
		},
	);
}

/** Of the package that this raftd came with. */
function packageRoot(): string {
	const own = fileURLToPath(import.meta.url);
	const at = own.lastIndexOf("/dist/");
	return at === -1 ? resolve(dirname(own), "../..") : own.slice(0, at);
}
