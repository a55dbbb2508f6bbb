import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { OperatorError, reasonOf } from "../errors.js";
import { loadMachine } from "./machine-module.js";
import { release } from "./release.js";

interface Terminal {
	readonly stdout: { write(text: string): unknown };
}

/** `raftd machine`: name and levels of the machine that a node would run; resolves with the exit code. */
export async function describeMachine(
	argv: readonly string[],
	{ stdout }: Terminal,
): Promise<number> {
	const { app, json } = parse(argv);
	const machine = await loadMachine(app === undefined ? null : resolve(app));
	const { name, levels } = machine;
	const [first, last] = levels.reads;
	stdout.write(
		json
			? `${JSON.stringify({ name, levels, release })}\n`
			: `${name}: reads level ${first === last ? first : `${first} to ${last}`}, writes level ${levels.writes}; raftd ${release}\n`,
	);
	return 0;
}

function parse(argv: readonly string[]) {
	try {
		return parseArgs({
			args: [...argv],
			options: { app: { type: "string" }, json: { type: "boolean" } },
		}).values;
	} catch (cause) {
		throw new OperatorError("usage", reasonOf(cause), {
			next: "raftd machine --app ./app.js --json",
			cause,
		});
	}
}
