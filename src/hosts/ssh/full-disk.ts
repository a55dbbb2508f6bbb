import { fullDisk, isOfFullDisk, type OperatorError } from "../../errors.js";
import type { Command, CommandOutput } from "./command.js";
import { freeScript } from "./scripts.js";
import { outputLimitBytes } from "./transfer-limits.js";

interface Target {
	readonly name: string;
	execute(command: Omit<Command, "prefix">): Promise<CommandOutput>;
}

const lookTimeoutMs = 10_000;

/** Null where what was said when the file could not be written is of something else. */
export async function fullDiskThere(
	target: Target,
	path: string,
	said: string,
): Promise<OperatorError | null> {
	if (!isOfFullDisk(said)) return null;
	const freeBytes = await freeAt(target, path);
	return fullDisk(path, { host: target.name, freeBytes, cause: said });
}

/** For people: where it cannot be asked it is left out. */
async function freeAt(target: Target, path: string): Promise<number | null> {
	try {
		const { exitCode, stdout } = await target.execute({
			argv: freeScript(path),
			...{ timeoutMs: lookTimeoutMs, outputLimitBytes },
		});
		const text = stdout.toString("utf8").trim();
		return exitCode === 0 && /^\d+$/.test(text) ? Number(text) : null;
	} catch {
		return null;
	}
}
