import { spawn } from "node:child_process";
import { once } from "node:events";
import type { OperationEvent } from "../../../src/operations/events.js";

/** raftctl as somebody gives it in the directory of the cluster file. */
export interface OperatorRun {
	/** Null: it was killed. */
	readonly exitCode: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

export interface RunningOperator {
	/** Whether it goes on still. */
	isUnderWay(): boolean;
	kill(): void;
	readonly ended: Promise<OperatorRun>;
}

export interface OperatorOptions {
	/** The entry file of raftctl. */
	readonly raftctl: string;
	readonly directory: string;
	/** Told of what it says while it runs; only with `-o ndjson`. */
	readonly hear?: (event: OperationEvent) => void;
	/** What does not end is killed then. */
	readonly limitMs: number;
}

export function startOperator(
	argv: readonly string[],
	{ raftctl, directory, hear, limitMs }: OperatorOptions,
): RunningOperator {
	const child = spawn(process.execPath, [raftctl, ...argv], {
		cwd: directory,
		stdio: ["ignore", "pipe", "pipe"],
	});
	const written = { stdout: "", stderr: "" };
	let line = "";
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		written.stdout += text;
		if (hear === undefined) return;
		const lines = `${line}${text}`.split("\n");
		line = lines.pop() ?? "";
		for (const one of lines) hear(JSON.parse(one));
	});
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		written.stderr += text;
	});
	const kill = () => void child.kill("SIGKILL");
	const limit = setTimeout(kill, limitMs);
	const ended = once(child, "close").then(([exitCode]) => {
		clearTimeout(limit);
		return { exitCode, ...written };
	});
	const isUnderWay = () => child.exitCode === null && child.signalCode === null;
	return { isUnderWay, kill, ended };
}
