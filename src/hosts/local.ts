import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { OperatorError } from "../errors.js";
import type { Host, RunOptions, RunResult } from "./host.js";

const outputLimitBytes = 16 * 1024 * 1024;
/** What a shell, and so a host behind SSH, answers when there is no such program. */
const noSuchProgram = 127;

/** This machine as a Host. */
export function localHost(): Host {
	return { name: "local", run, upload, read, close: async () => {} };
}

async function run(
	argv: readonly string[],
	options: RunOptions,
): Promise<RunResult> {
	options.signal?.throwIfAborted();
	const [program = "", ...args] = argv;
	// Imported here: it costs every start of raftctl 40 ms otherwise, and few commands run a program.
	const { execa } = await import("execa");
	const result = await execa(program, args, {
		reject: false,
		stripFinalNewline: false,
		timeout: options.timeoutMs,
		forceKillAfterDelay: 1_000,
		maxBuffer: outputLimitBytes,
		...(options.signal ? { cancelSignal: options.signal } : {}),
		...(options.stdin ? { input: options.stdin } : { stdin: "ignore" }),
	});
	options.signal?.throwIfAborted();
	if (result.timedOut) {
		throw new OperatorError(
			"timeout",
			`${program} did not end within ${options.timeoutMs} ms`,
			{ node: "local", state: "It was ended." },
		);
	}
	const { stdout, stderr, shortMessage = `${program} did not run` } = result;
	if (result.exitCode !== undefined)
		return { exitCode: result.exitCode, stdout, stderr };
	if (result.code === "ENOENT" || result.code === "EACCES")
		return { exitCode: noSuchProgram, stdout, stderr: shortMessage };
	throw new OperatorError("unreachable", shortMessage, {
		node: "local",
		cause: result.cause,
	});
}

async function upload(
	path: string,
	content: Uint8Array,
	mode: number,
): Promise<void> {
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	const partial = `${path}.${randomUUID()}`;
	try {
		const file = await open(partial, "wx", mode);
		try {
			// The umask may have taken away from what `open` was asked for.
			await file.chmod(mode);
			await file.writeFile(content);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(partial, path);
	} catch (error) {
		await rm(partial, { force: true });
		throw error;
	}
}

async function read(path: string): Promise<Uint8Array | null> {
	try {
		return await readFile(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
		throw error;
	}
}
