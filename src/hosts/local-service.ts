import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../errors.js";
import type { Service, ServiceState } from "./host.js";
import { openLogFile, tailOf } from "./log-file.js";
import {
	isRunning,
	type ProcessIdentity,
	parsePidFile,
} from "./process-identity.js";

interface LocalServiceOptions {
	readonly name: string;
	/** The program and its arguments, asked for at each start. */
	readonly argv: () => Promise<readonly string[]>;
	readonly pidFile: string;
	/** Standard output and standard error, appended. */
	readonly logFile: string;
	readonly workingDirectory: string;
}

/**
 * A long-running program on this machine as a process of its own session: it outlives the raftctl that started it.
 */
export function localService(options: LocalServiceOptions): Service {
	return new LocalService(options);
}

/**
 * The process writes its own pid file before it becomes the program: there is no moment at which it runs and nobody
 * could find it again, not even when raftctl is killed right after the start. `ln` makes that atomic, and refuses when
 * another start was quicker. Node reads the extra certificates, for 60 ms, at every start: no daemon here needs them.
 */
const launcher = `
umask 077
read -r stat < /proc/$$/stat && read -r boot < /proc/sys/kernel/random/boot_id || exit 72
printf '%s\\n%s\\n' "$stat" "$boot" > "$0.$$" && ln "$0.$$" "$0"
linked=$?
rm -f "$0.$$"
[ "$linked" = 0 ] || exit 73
unset NODE_EXTRA_CA_CERTS
exec "$@"
`;

const pollMs = 20;
const pidFileLimitMs = 5_000;
const killLimitMs = 5_000;

class LocalService implements Service {
	readonly name: string;
	readonly #options: LocalServiceOptions;
	/** Set by the end of a process that this object started; nobody else is told how a process ended. */
	#lastExit: string | null = null;

	constructor(options: LocalServiceOptions) {
		this.name = options.name;
		this.#options = options;
	}

	async start(signal?: AbortSignal): Promise<void> {
		signal?.throwIfAborted();
		if ((await this.#runningIdentity()) !== null) return;
		await this.#clearStalePidFile();
		const child = await this.#spawn();
		await this.#registered(child, signal);
	}

	async stop(timeoutMs: number, signal?: AbortSignal): Promise<void> {
		const identity = await this.#runningIdentity();
		if (identity !== null) {
			this.#signal(identity, "SIGTERM");
			if (!(await gone(identity, timeoutMs, signal)))
				throw this.#stillRuns(identity, timeoutMs);
		}
		await rm(this.#options.pidFile, { force: true });
	}

	async kill(): Promise<void> {
		const identity = await this.#runningIdentity();
		if (identity !== null) {
			this.#signal(identity, "SIGKILL");
			if (!(await gone(identity, killLimitMs)))
				throw this.#stillRuns(identity, killLimitMs);
		}
		await rm(this.#options.pidFile, { force: true });
	}

	async state(): Promise<ServiceState> {
		const identity = await this.#identity();
		if (identity !== null && (await isRunning(identity)))
			return { running: true, pid: identity.pid };
		if (this.#lastExit !== null)
			return { running: false, exit: this.#lastExit };
		// Whoever ends it properly removes the pid file.
		const exit =
			identity === null
				? null
				: `process ${identity.pid} is gone; how it ended was not seen`;
		return { running: false, exit };
	}

	async logTail(lines: number): Promise<string> {
		return tailOf(this.#options.logFile, lines);
	}

	/** Only one whose process is gone: another start may have written a fresh one since it was looked at. */
	async #clearStalePidFile(): Promise<void> {
		const { pidFile } = this.#options;
		await mkdir(dirname(pidFile), { recursive: true, mode: 0o700 });
		const stale = await readFile(pidFile, "utf8").catch(() => null);
		if (stale === null) return;
		const identity = parsePidFile(stale);
		if (identity === null || !(await isRunning(identity)))
			await rm(pidFile, { force: true });
	}

	async #spawn(): Promise<ChildProcess> {
		const { pidFile, logFile, workingDirectory } = this.#options;
		const argv = await this.#options.argv();
		const log = await openLogFile(logFile);
		try {
			const child = spawn("/bin/sh", ["-c", launcher, pidFile, ...argv], {
				cwd: workingDirectory,
				detached: true,
				stdio: ["ignore", log.fd, log.fd],
			});
			this.#lastExit = null;
			child.once("exit", (code, signal) => {
				this.#lastExit =
					signal === null ? `exit code ${code}` : `signal ${signal}`;
			});
			await new Promise<void>((resolve, reject) => {
				child.once("spawn", resolve).once("error", reject);
			});
			child.unref();
			return child;
		} catch (cause) {
			throw new OperatorError(
				"unexpected",
				`${this.name} could not be started in ${workingDirectory}`,
				{ state: "It does not run.", cause },
			);
		} finally {
			await log.close();
		}
	}

	async #registered(child: ChildProcess, signal?: AbortSignal): Promise<void> {
		const deadline = performance.now() + pidFileLimitMs;
		while ((await this.#identity())?.pid !== child.pid) {
			if (child.exitCode !== null || child.signalCode !== null)
				return this.#endedUnregistered(child.pid);
			if (performance.now() > deadline) {
				throw new OperatorError(
					"timeout",
					`${this.name} wrote no pid file within ${pidFileLimitMs} ms`,
					{ state: `It may run as process ${child.pid}.` },
				);
			}
			await pause(pollMs, signal);
		}
	}

	/** Either it wrote its file and ended at once (a matter for `state`), or another start was quicker, or it failed. */
	async #endedUnregistered(pid: number | undefined): Promise<void> {
		const identity = await this.#identity();
		if (identity?.pid === pid) return;
		if (identity !== null && (await isRunning(identity))) {
			this.#lastExit = null;
			return;
		}
		throw new OperatorError(
			"unexpected",
			`${this.name} ended before it was started: ${this.#lastExit}`,
			{ state: "It does not run.", next: `Read ${this.#options.logFile}` },
		);
	}

	async #identity(): Promise<ProcessIdentity | null> {
		try {
			return parsePidFile(await readFile(this.#options.pidFile, "utf8"));
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
			throw error;
		}
	}

	async #runningIdentity(): Promise<ProcessIdentity | null> {
		const identity = await this.#identity();
		return identity !== null && (await isRunning(identity)) ? identity : null;
	}

	#signal({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
		try {
			process.kill(pid, signal);
		} catch (cause) {
			if ((cause as NodeJS.ErrnoException).code === "ESRCH") return;
			throw new OperatorError(
				"unreachable",
				`${this.name} (process ${pid}) could not be sent ${signal}`,
				{ state: "It runs on.", next: "Use the account it runs under", cause },
			);
		}
	}

	#stillRuns({ pid }: ProcessIdentity, timeoutMs: number): OperatorError {
		return new OperatorError(
			"timeout",
			`${this.name} (process ${pid}) did not end within ${timeoutMs} ms`,
			{
				state: "It was asked to stop and still runs.",
				next: `Read ${this.#options.logFile}`,
			},
		);
	}
}

async function gone(
	identity: ProcessIdentity,
	timeoutMs: number,
	signal?: AbortSignal,
): Promise<boolean> {
	const deadline = performance.now() + timeoutMs;
	while (await isRunning(identity)) {
		if (performance.now() >= deadline) return false;
		await pause(pollMs, signal);
	}
	return true;
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
	await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(
		(error: unknown) => {
			// Whoever aborts gives the reason that people see.
			signal?.throwIfAborted();
			throw error;
		},
	);
}
