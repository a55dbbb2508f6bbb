import { createHash, randomUUID } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import {
	chmod,
	copyFile,
	mkdir,
	open,
	readFile,
	rename,
	rm,
	stat,
	statfs,
} from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { fullDisk, isOfFullDisk, OperatorError } from "../errors.js";
import type {
	Fetched,
	Host,
	RunOptions,
	RunResult,
	SendOptions,
	Sent,
} from "./host.js";

const outputLimitBytes = 16 * 1024 * 1024;
/** Between the wish to end and the kill. */
const politeMs = 1_000;
/** What a shell, and so a host behind SSH, answers when there is no such program. */
const noSuchProgram = 127;

/** This machine as a Host. */
export function localHost(): Host {
	const close = async () => {};
	return { name: "local", run, upload, send, fetch, read, close };
}

async function run(
	argv: readonly string[],
	options: RunOptions,
): Promise<RunResult> {
	const [program = "", ...args] = argv;
	// Imported here: it costs every start of raftctl 40 ms otherwise, and few commands run a program.
	const { execa } = await import("execa");
	options.signal?.throwIfAborted();
	const child = execa(program, args, {
		reject: false,
		stripFinalNewline: false,
		maxBuffer: outputLimitBytes,
		// A group of its own: what the program has started is ended with it, as on hosts behind SSH.
		detached: true,
		...stdinOf(options),
	});
	const limit = bounded(child, options);
	const result = await child.finally(() => limit.lift());
	options.signal?.throwIfAborted();
	if (limit.isOver()) {
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

/** Ends the group of a program when its time is over or the signal aborts: politely, then not, then without its output. */
function bounded(
	child: {
		readonly pid?: number | undefined;
		readonly stdout: Readable | null;
		readonly stderr: Readable | null;
	},
	{ timeoutMs, signal }: RunOptions,
) {
	let isOver = false;
	const timers: NodeJS.Timeout[] = [];
	const kill = (by: NodeJS.Signals) => {
		try {
			if (child.pid !== undefined) process.kill(-child.pid, by);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
		}
	};
	const end = () => {
		kill("SIGTERM");
		timers.push(
			setTimeout(() => {
				kill("SIGKILL");
				// One that has left the group may still hold them open, for ever.
				child.stdout?.destroy();
				child.stderr?.destroy();
			}, politeMs),
		);
	};
	timers.push(
		setTimeout(() => {
			isOver = true;
			end();
		}, timeoutMs),
	);
	signal?.addEventListener("abort", end, { once: true });
	return {
		isOver: () => isOver,
		lift() {
			for (const timer of timers) clearTimeout(timer);
			signal?.removeEventListener("abort", end);
		},
	};
}

function stdinOf({ stdin, holdsStdin }: RunOptions) {
	if (stdin !== undefined) return { input: stdin };
	return { stdin: holdsStdin ? ("pipe" as const) : ("ignore" as const) };
}

async function upload(
	path: string,
	content: Uint8Array,
	mode: number,
): Promise<void> {
	const partial = `${path}.${randomUUID()}`;
	try {
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
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
		throw await unwritten(path, error);
	}
}

async function unwritten(path: string, error: unknown): Promise<unknown> {
	if (!isOfFullDisk(error)) return error;
	const free = await statfs(dirname(path)).catch(() => null);
	const freeBytes = free === null ? null : free.bavail * free.bsize;
	return fullDisk(path, { host: "local", freeBytes, cause: error });
}

async function send(
	path: string,
	source: string,
	mode: number,
	{ signal, onProgress }: SendOptions = {},
): Promise<Sent> {
	const [wanted, present, { size }] = await Promise.all([
		hashOf(source),
		hashOf(path),
		stat(source),
	]);
	if (wanted === present) {
		await chmod(path, mode);
		return { sentBytes: 0, present: true };
	}
	const partial = `${path}.${randomUUID()}`;
	try {
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		signal?.throwIfAborted();
		await copyFile(source, partial, constants.COPYFILE_EXCL);
		if ((await hashOf(partial)) !== wanted)
			throw new OperatorError(
				"unreachable",
				`${source} changes while it is copied`,
				{
					...{ node: "local", state: "it was not put in its place" },
				},
			);
		await chmod(partial, mode);
		const file = await open(partial, "r");
		await file.sync().finally(() => file.close());
		await rename(partial, path);
	} catch (error) {
		await rm(partial, { force: true });
		throw await unwritten(path, error);
	}
	onProgress?.(size, size);
	return { sentBytes: size, present: false };
}

async function fetch(
	path: string,
	target: string,
	options: SendOptions = {},
): Promise<Fetched | null> {
	if (!(await isThere(path))) return null;
	const { sentBytes, present } = await send(target, path, 0o600, options);
	return { receivedBytes: sentBytes, present };
}

async function isThere(path: string): Promise<boolean> {
	try {
		await stat(path);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
		throw error;
	}
}

/** SHA-256; null when there is no such file. */
async function hashOf(path: string): Promise<string | null> {
	const hash = createHash("sha256");
	try {
		for await (const chunk of createReadStream(path)) hash.update(chunk);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
		throw error;
	}
	return hash.digest("hex");
}

async function read(path: string): Promise<Uint8Array | null> {
	try {
		return await readFile(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
		throw error;
	}
}
