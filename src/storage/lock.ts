import { spawnSync } from "node:child_process";
import {
	closeSync,
	constants,
	existsSync,
	ftruncateSync,
	openSync,
	readFileSync,
	statSync,
	writeSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { OperatorError } from "../errors.js";

interface DirectoryLock {
	release(): Promise<void>;
}

/**
 * Takes `directory` for this process alone, at once or not at all. The kernel gives the lock back when the process ends,
 * however it ends (P19). Throws OperatorError("locked") when another process has it, naming that process if it can.
 */
export async function lockDirectory(
	directory: string,
	options: { readonly flockCommand?: string } = {},
): Promise<DirectoryLock> {
	const path = join(directory, "lock");
	const flags = constants.O_RDWR | constants.O_CREAT;
	const descriptor = openSync(path, flags, 0o600);
	try {
		const byFlock = flock(descriptor, "-x", options.flockCommand);
		if (byFlock === "held") throw held(directory, path);
		const server =
			byFlock === "no-command" ? await bind(directory, path) : null;
		describeHolder(descriptor);
		return {
			async release() {
				closeSync(descriptor);
				if (server !== null) await unbind(server);
			},
		};
	} catch (error) {
		closeSync(descriptor);
		throw error;
	}
}

/**
 * Who holds `directory`, in words; null when nobody does. Writes nothing. A process that takes the lock in the very
 * moment of the look may find it held.
 */
export async function lockHolder(
	directory: string,
	options: { readonly flockCommand?: string } = {},
): Promise<string | null> {
	const path = join(directory, "lock");
	if (!existsSync(path)) return null;
	const descriptor = openSync(path, constants.O_RDONLY);
	try {
		// Shared, so that two who look do not take each other for the holder.
		const byFlock = flock(descriptor, "-s", options.flockCommand);
		const isHeld =
			byFlock === "held" ||
			(byFlock === "no-command" && (await isBound(directory)));
		return isHeld
			? readFileSync(path, "utf8").trim() || "another process"
			: null;
	} finally {
		closeSync(descriptor);
	}
}

/**
 * Node has no flock(2). The command locks the open file description that it inherits as descriptor 3; as we share it,
 * the lock stays with us when the command has ended.
 */
function flock(
	descriptor: number,
	mode: "-x" | "-s",
	command = "flock",
): "taken" | "held" | "no-command" {
	const { status, error, stderr } = spawnSync(command, ["-n", mode, "3"], {
		stdio: ["ignore", "ignore", "pipe", descriptor],
		timeout: flockTimeoutMs,
		encoding: "utf8",
	});
	if (status === 0) return "taken";
	if (status === 1) return "held";
	if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT")
		return "no-command";
	throw new OperatorError("unexpected", "the data directory cannot be locked", {
		problems: [stderr?.trim() || `flock ended with status ${status}`],
		state: "nothing was changed",
		next: "put the data directory on a local file system that supports locks",
		cause: error,
	});
}

const flockTimeoutMs = 5_000;

/**
 * Where flock(1) is missing: an abstract Unix socket, named after the directory's place on its device, which the kernel
 * also frees. Weaker: it exists on Linux only, and containers with separate networks do not see each other's.
 */
async function bind(directory: string, path: string): Promise<Server> {
	const server = createServer((socket) => socket.destroy());
	try {
		await new Promise<void>((resolve, reject) => {
			server.once("error", reject);
			server.listen({ path: socketName(directory) }, resolve);
		});
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === "EADDRINUSE")
			throw held(directory, path);
		throw new OperatorError(
			"unexpected",
			"the data directory cannot be locked",
			{
				state: "nothing was changed",
				next: "install flock (package util-linux)",
				cause,
			},
		);
	}
	// It holds the name, not the process.
	return server.unref();
}

function isBound(directory: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ path: socketName(directory) });
		socket.once("connect", () => {
			resolve(true);
			socket.destroy();
		});
		socket.once("error", () => resolve(false));
	});
}

function socketName(directory: string): string {
	const { dev, ino } = statSync(directory, { bigint: true });
	return `\0raftctl-lock-${dev}-${ino}`;
}

function unbind(server: Server): Promise<void> {
	return new Promise((resolve) => server.close(() => resolve()));
}

/** For people only; the lock is the kernel's. */
function describeHolder(descriptor: number): void {
	const words = `process ${process.pid}, since ${new Date().toISOString()}\n`;
	ftruncateSync(descriptor, 0);
	writeSync(descriptor, words, 0);
}

function held(directory: string, path: string): OperatorError {
	const holder = readFileSync(path, "utf8").trim();
	return new OperatorError(
		"locked",
		`the data directory ${directory} is in use${holder === "" ? "" : ` by ${holder}`}`,
		{
			state: "nothing was changed",
			next: "stop the process that uses it, or give this node a directory of its own",
		},
	);
}
