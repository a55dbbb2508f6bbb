import { randomBytes } from "node:crypto";
import type { Writable } from "node:stream";
import type { ClientChannel } from "ssh2";
import { killed, notBegun, tooMuch, tooSlow } from "./command-failures.js";
import { type Connection, LostBeforehand, type Session } from "./connection.js";
import { connectionLost, unreachable } from "./failures.js";
import { endLine, LaunchReader, launchLine } from "./launcher.js";
import type { Link } from "./link.js";
import { raced } from "./raced.js";

export interface Command {
	readonly argv: readonly string[];
	/** What stands before everything: how the command comes to run under another account. */
	readonly prefix: readonly string[];
	/** From the moment that the host is connected; waiting for a turn counts. */
	readonly timeoutMs: number;
	readonly signal?: AbortSignal;
	/** Written to it while it reads; none when left out. */
	readonly feed?: (
		channel: ClientChannel,
		signal: AbortSignal,
	) => Promise<void>;
	/** Takes what the command writes, as fast as it can; what it cannot ends the command. Left out: it is kept. */
	readonly sink?: Writable;
	/** Of what is kept. */
	readonly outputLimitBytes: number;
}

export interface CommandOutput {
	readonly exitCode: number;
	readonly stdout: Buffer;
	readonly stderr: Buffer;
}

/** To end a command and to be told so; the host's own limit is there for what this does not reach. */
const endLimitMs = 6_000;
/** A command that was stopped right at its start has this long to say which process it is. */
const beginLimitMs = 2_000;

/**
 * Runs a command on a host to its end. When its time is over, the signal is aborted or it writes too much, it is ended there
 * first. Throws OperatorError "timeout" or "unreachable", or the signal's reason.
 */
export async function execute(
	link: Link,
	command: Command,
): Promise<CommandOutput> {
	command.signal?.throwIfAborted();
	try {
		return await attempt(link, command);
	} catch (error) {
		if (!(error instanceof LostBeforehand)) throw error;
	}
	// It was noticed only now that the connection is gone; the command did not run.
	return attempt(link, command).catch((error: unknown) => {
		throw error instanceof LostBeforehand
			? unreachable(link, `the connection to ${link.name} breaks at once`, {
					cause: error,
				})
			: error;
	});
}

async function attempt(link: Link, command: Command): Promise<CommandOutput> {
	const never = new AbortController().signal;
	const connection = await raced(link.connection(), command.signal ?? never);
	const over = new AbortController();
	const timer = setTimeout(
		() => over.abort(tooSlow(link, command)),
		command.timeoutMs,
	);
	const signal = AbortSignal.any([command.signal ?? never, over.signal]);
	try {
		return await runOn(connection, command, signal);
	} finally {
		clearTimeout(timer);
	}
}

async function runOn(
	connection: Connection,
	command: Command,
	signal: AbortSignal,
): Promise<CommandOutput> {
	const marker = `raftctl-${randomBytes(9).toString("hex")}`;
	const line = launchLine({ ...command, marker });
	const session = await connection.session(line, signal);
	const run = new Run(command, new LaunchReader(marker), session);
	const { destination, lost } = connection;
	const ended = new AbortController();
	const either = AbortSignal.any([signal, lost, run.failed]);
	try {
		void command
			.feed?.(session.channel, AbortSignal.any([either, ended.signal]))
			.catch((error: unknown) => run.fail(error));
		if (command.feed === undefined) session.channel.end();
		const { exit, ...output } = await raced(run.finished, either);
		if (exit === null) throw lost.reason;
		if (run.reader.process === null)
			throw notBegun(destination, [run.stderr, run.reader.noise]);
		if (exit.code === null) throw killed(destination, command, exit.signal);
		return { exitCode: exit.code, ...output };
	} catch (error) {
		if (lost.aborted || error === undefined)
			throw connectionLost(
				destination,
				`${command.argv[0]} ran on ${destination.name}`,
				lost.reason,
			);
		if (either.aborted) await end(connection, command, run);
		throw error;
	} finally {
		ended.abort();
	}
}

interface Exit {
	/** Null: a signal ended it. */
	readonly code: number | null;
	readonly signal: string;
}

interface Finished extends Pick<CommandOutput, "stdout" | "stderr"> {
	/** Null: the connection ended before it. */
	readonly exit: Exit | null;
}

/** What a command says while it runs. */
class Run {
	readonly reader: LaunchReader;
	readonly finished: Promise<Finished>;
	readonly begun: Promise<void>;
	readonly #failed = new AbortController();
	readonly #stdout: Buffer[] = [];
	readonly #stderr: Buffer[] = [];
	#bytes = 0;

	constructor(command: Command, reader: LaunchReader, session: Session) {
		this.reader = reader;
		const { channel } = session;
		const { outputLimitBytes, sink } = command;
		sink?.on("error", (error) => this.fail(error));
		const keep = (chunks: Buffer[], chunk: Buffer) => {
			this.#bytes += chunk.length;
			if (this.#bytes > outputLimitBytes) this.fail(tooMuch(command));
			else chunks.push(chunk);
		};
		this.begun = new Promise((begun) => {
			channel.on("data", (chunk: Buffer) => {
				try {
					const said = reader.push(chunk);
					if (sink === undefined) keep(this.#stdout, said);
					else if (!sink.write(said)) {
						channel.pause();
						sink.once("drain", () => channel.resume());
					}
				} catch (error) {
					this.fail(error);
				}
				if (reader.process !== null) begun();
			});
		});
		channel.stderr.on("data", (chunk: Buffer) => keep(this.#stderr, chunk));
		// Writing to what has ended already is no failure: how it ended is what counts.
		channel.on("error", () => {});
		this.finished = new Promise((resolve) => {
			// How it ended comes with it. What "exit" says may have been said before anybody listened: a short program's end
			// comes in the same packet as its beginning.
			channel.once("close", (code?: number | null, signal?: string) => {
				session.release();
				resolve({
					exit:
						code === undefined ? null : { code, signal: signal ?? "a signal" },
					stdout: Buffer.concat(this.#stdout),
					stderr: Buffer.concat(this.#stderr),
				});
			});
		});
	}

	get failed(): AbortSignal {
		return this.#failed.signal;
	}

	get stderr(): string {
		return Buffer.concat(this.#stderr).toString("utf8").trim();
	}

	fail(error: unknown): void {
		this.#failed.abort(error);
	}
}

/** Over another channel: SSH's own signals reach nothing that runs without a terminal. */
async function end(
	connection: Connection,
	{ prefix }: Command,
	run: Run,
): Promise<void> {
	await within(beginLimitMs, run.begun);
	const { process } = run.reader;
	if (process === null) return;
	const over = AbortSignal.timeout(endLimitMs);
	const line = endLine(process, prefix);
	// Where the server gives no channel for it, the command ends at the host's own limit.
	const channel = await connection.besides(line, over).catch(() => null);
	if (channel === null) return;
	channel.resume();
	channel.stderr.resume();
	channel.end();
	const closed = new Promise<void>((resolve) => {
		channel.once("close", () => resolve());
	});
	await raced(closed, over).catch(() => {});
}

async function within(limitMs: number, done: Promise<void>): Promise<void> {
	await raced(done, AbortSignal.timeout(limitMs)).catch(() => {});
}
