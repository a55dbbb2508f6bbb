/** A machine: this one (local.ts), or one behind SSH (ssh/ssh-host.ts). No shell strings: argv in. */
export interface Host {
	readonly name: string;
	/** Runs to the end; a non-zero exit is a result, not an error. Throws OperatorError "unreachable" or "timeout". */
	run(argv: readonly string[], options: RunOptions): Promise<RunResult>;
	/** Writes a file whole (temporary file, rename) with `mode`, making its directory. */
	upload(path: string, content: Uint8Array, mode: number): Promise<void>;
	/**
	 * Brings a file of this machine there, of any size: streamed, gone on with after a broken connection, checked by its
	 * SHA-256 and renamed into place when it is whole, making its directory. Nothing is sent when the file is there with the
	 * same content. Throws OperatorError "refused" when it does not fit, "unreachable", "timeout".
	 */
	send(
		path: string,
		source: string,
		mode: number,
		options?: SendOptions,
	): Promise<Sent>;
	/**
	 * Brings a file of there to this machine, of any size, as `send` does the other way: streamed, gone on with after a
	 * broken connection, checked by its SHA-256 and renamed into place, with mode 0600, when it is whole. Null when there
	 * is no such file. Throws OperatorError "refused" when it does not fit, "unreachable", "timeout".
	 */
	fetch(
		path: string,
		target: string,
		options?: SendOptions,
	): Promise<Fetched | null>;
	/** Null when there is no such file. The whole of it is held in memory: for what is small. */
	read(path: string): Promise<Uint8Array | null>;
	close(): Promise<void>;
}

export interface RunOptions {
	readonly timeoutMs: number;
	readonly signal?: AbortSignal;
	readonly stdin?: Uint8Array;
	/**
	 * Instead of `stdin`: its standard input is kept open for as long as this process lives and waits. For a program that
	 * ends when that is closed, so that nothing acts on for somebody who was killed.
	 */
	readonly holdsStdin?: true;
}

export interface SendOptions {
	readonly signal?: AbortSignal;
	/** How much of it is there by now. */
	readonly onProgress?: (bytes: number, ofBytes: number) => void;
}

export interface Sent {
	/** Over the line, with what had to be sent twice. */
	readonly sentBytes: number;
	/** It was there already. */
	readonly present: boolean;
}

export interface Fetched {
	/** Over the line, with what had to be brought twice. */
	readonly receivedBytes: number;
	/** It was here already. */
	readonly present: boolean;
}

export interface RunResult {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** A long-running program on a host: a detached process here, a systemd unit there. */
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
	/** Absent where no machine starts it by itself. */
	readonly boot?: Boot;
}

/** Whether a program starts with its host. */
export interface Boot {
	isSet(): Promise<boolean>;
	/** Throws OperatorError "refused" where that may not be changed. */
	set(starts: boolean, signal?: AbortSignal): Promise<void>;
}

export type ServiceState =
	| { readonly running: true; readonly pid: number }
	| { readonly running: false; readonly exit: string | null };
