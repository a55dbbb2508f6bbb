import { pathToFileURL } from "node:url";
import { OperatorError, reasonOf } from "../errors.js";
import type { Machine } from "../machines/machine.js";

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
	const problems = faultsOf(module.default);
	if (problems.length === 0) return module.default as Machine;
	throw new OperatorError("config", `${path} does not export a state machine`, {
		problems,
		next: "export default defineMachine({...}) from raftctl/machine",
	});
}

const required = ["create", "apply", "query", "snapshot", "restore"] as const;
const json = ["command", "query", "result", "answer", "event"] as const;

function faultsOf(value: unknown): string[] {
	if (typeof value !== "object" || value === null)
		return ["the default export is not an object"];
	const machine = value as Record<string, unknown>;
	const faults: string[] = [];
	if (typeof machine.name !== "string" || machine.name === "")
		faults.push("name is not a string");
	faults.push(...levelFaults(machine.levels));
	for (const key of required) {
		if (typeof machine[key] !== "function")
			faults.push(`${key} is not a function`);
	}
	if (
		machine.validate !== undefined &&
		typeof machine.validate !== "function"
	) {
		faults.push("validate is not a function");
	}
	if (machine.json !== undefined) {
		const translations = (machine.json ?? {}) as Record<string, unknown>;
		for (const key of json) {
			if (typeof translations[key] !== "function")
				faults.push(`json.${key} is not a function`);
		}
	}
	return faults;
}

function levelFaults(levels: unknown): string[] {
	const { reads, writes } = (levels ?? {}) as Record<string, unknown>;
	const [from, to] = Array.isArray(reads) ? reads : [];
	// One byte in the entry holds the level.
	const isLevel = (value: unknown): value is number =>
		Number.isInteger(value) &&
		(value as number) >= 0 &&
		(value as number) <= 255;
	if (!isLevel(from) || !isLevel(to) || from > to)
		return ["levels.reads is not a range [from, to] of 0 to 255"];
	if (!isLevel(writes) || writes < from || writes > to)
		return ["levels.writes is not within levels.reads"];
	return [];
}
