import { spawn } from "node:child_process";
import { OperatorError } from "../errors.js";

export interface AttachedOptions {
	/**
	 * inherit: what it writes goes where ours goes, without passing through us, however much it is. collect: what it
	 * writes to its standard output is returned; at most 64 MiB.
	 */
	readonly stdout: "inherit" | "collect";
	readonly signal?: AbortSignal;
}

/** Beyond it a report is no report. */
const collectedBytes = 64 * 1024 * 1024;

/**
 * Runs a program of this machine to its end, for as long as that takes: a person waits for it, or ends it. A non-zero
 * exit is a result. Throws OperatorError "unreachable" when it cannot be started or a signal ends it, and the signal's
 * reason once that is aborted and the program is gone.
 */
export function runAttached(
	argv: readonly string[],
	{ stdout, signal }: AttachedOptions,
): Promise<{ readonly exitCode: number; readonly stdout: string }> {
	signal?.throwIfAborted();
	const [program = "", ...args] = argv;
	const child = spawn(program, args, {
		stdio: ["ignore", stdout === "inherit" ? "inherit" : "pipe", "inherit"],
	});
	const chunks: Buffer[] = [];
	let bytes = 0;
	child.stdout?.on("data", (chunk: Buffer) => {
		chunks.push(chunk);
		bytes += chunk.length;
		if (bytes > collectedBytes) child.kill();
	});
	const end = () => void child.kill();
	signal?.addEventListener("abort", end, { once: true });
	return new Promise((resolve, reject) => {
		child.once("error", (cause) => {
			reject(failed(`${program} could not be started`, cause));
		});
		child.once("close", (exitCode, ended) => {
			signal?.removeEventListener("abort", end);
			if (signal?.aborted) reject(signal.reason);
			else if (exitCode === null)
				reject(failed(`${program} was ended by ${ended}`));
			else
				resolve({ exitCode, stdout: Buffer.concat(chunks).toString("utf8") });
		});
	});
}

function failed(what: string, cause?: unknown): OperatorError {
	return new OperatorError("unreachable", what, {
		...{ node: "local", state: "nothing was changed" },
		...(cause === undefined ? {} : { cause }),
	});
}
