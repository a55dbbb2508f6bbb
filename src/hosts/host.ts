/** A machine: this one (local.ts), later one behind SSH. No shell strings: argv in. */
export interface Host {
	readonly name: string;
	/** Runs to the end; a non-zero exit is a result, not an error. Throws OperatorError "unreachable" or "timeout". */
	run(argv: readonly string[], options: RunOptions): Promise<RunResult>;
	/** Writes a file whole (temporary file, rename) with `mode`, making its directory. */
	upload(path: string, content: Uint8Array, mode: number): Promise<void>;
	/** Null when there is no such file. */
	read(path: string): Promise<Uint8Array | null>;
	close(): Promise<void>;
}

export interface RunOptions {
	readonly timeoutMs: number;
	readonly signal?: AbortSignal;
	readonly stdin?: Uint8Array;
}

export interface RunResult {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** A long-running program on a host: a detached process here, later a systemd unit. */
export interface Service {
	readonly name: string;
	/** Resolves once the process exists (not: is ready). Does nothing when it already runs. */
	start(signal?: AbortSignal): Promise<void>;
	/** SIGTERM, then waits until it is gone. After `timeoutMs` throws OperatorError "timeout"; it is not killed. */
	stop(timeoutMs: number, signal?: AbortSignal): Promise<void>;
	kill(): Promise<void>;
	state(): Promise<ServiceState>;
	/** The last lines it logged, for an error message. */
	logTail(lines: number): Promise<string>;
}

export type ServiceState =
	| { readonly running: true; readonly pid: number }
	| { readonly running: false; readonly exit: string | null };
