import { type ChildProcess, spawn } from "node:child_process";
import { OperatorError, reasonOf } from "../../errors.js";

export interface HookOrder {
	readonly node: string;
	/** Program and arguments; there is no shell. */
	readonly command: readonly string[];
	readonly directory: string;
	/** All that the command finds in its environment. */
	readonly environment: Readonly<Record<string, string>>;
	readonly limitMs: number;
}

/** Of what the command writes to its standard error, the end is kept: that is where the reason is. */
const maxTailBytes = 4096;
const shownTailLength = 400;
/** Between the polite signal and the other. */
const killAfterMs = 2000;
/** A program that the command has left behind may hold its standard error open: nobody waits for that. */
const tailGraceMs = 500;

/**
 * Runs the schedule's command in a process group of its own. Rejects with a sentence that has the end of its standard
 * error; the command's arguments are not in it, as they may be secret.
 */
export async function runHook(
	order: HookOrder,
	signal: AbortSignal,
): Promise<void> {
	const [program = "", ...args] = order.command;
	signal.throwIfAborted();
	const child = spawn(program, args, {
		cwd: order.directory,
		env: order.environment,
		detached: true,
		stdio: ["ignore", "ignore", "pipe"],
	});
	const tail = tailOf(child);
	const limit = AbortSignal.timeout(order.limitMs);
	const stop = AbortSignal.any([signal, limit]);
	const onStop = () => endGroup(child);
	stop.addEventListener("abort", onStop);
	try {
		const end = await endOf(child);
		signal.throwIfAborted();
		if (limit.aborted) throw overdue(order, program);
		if (end === "") return;
		const words = tail();
		throw fault(
			`the command ${program} on ${order.node} ${end}${words === "" ? "" : `: ${words}`}`,
		);
	} finally {
		stop.removeEventListener("abort", onStop);
		child.stderr?.destroy();
	}
}

function overdue({ limitMs, node }: HookOrder, program: string): OperatorError {
	return fault(
		`the command ${program} on ${node} still ran after ${Math.round(limitMs / 1000)} s and was ended`,
	);
}

/** Resolves to a clause that says how it ended; empty when all went well. */
function endOf(child: ChildProcess): Promise<string> {
	return new Promise((resolve) => {
		child.once("error", (error) =>
			resolve(`could not be started: ${reasonOf(error)}`),
		);
		child.once("exit", (code, signal) => {
			const end =
				code === 0
					? ""
					: code === null
						? `was ended by ${signal}`
						: `ended with ${code}`;
			const grace = setTimeout(() => resolve(end), tailGraceMs);
			child.once("close", () => {
				clearTimeout(grace);
				resolve(end);
			});
		});
	});
}

function tailOf(child: ChildProcess): () => string {
	let tail = Buffer.alloc(0);
	child.stderr?.on("data", (bytes: Buffer) => {
		tail = Buffer.concat([tail, bytes]).subarray(-maxTailBytes);
	});
	child.stderr?.on("error", () => {});
	return () => {
		const words = tail.toString("utf8").replace(/\s+/g, " ").trim();
		return words.length > shownTailLength
			? `… ${words.slice(-shownTailLength)}`
			: words;
	};
}

/** The command and whatever it has started: they must not go on when another node takes over. */
function endGroup(child: ChildProcess): void {
	signalGroup(child, "SIGTERM");
	const timer = setTimeout(() => signalGroup(child, "SIGKILL"), killAfterMs);
	child.once("exit", () => {
		clearTimeout(timer);
		signalGroup(child, "SIGKILL");
	});
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, signal);
	} catch {
		// All of them are gone.
	}
}

function fault(message: string): OperatorError {
	return new OperatorError("unexpected", message);
}
