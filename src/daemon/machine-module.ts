import { pathToFileURL } from "node:url";
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
