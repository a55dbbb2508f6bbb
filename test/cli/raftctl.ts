import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The built program; RAFTCTL_MAIN names that of another package, an installed one for example. */
export const main =
	process.env.RAFTCTL_MAIN ??
	join(import.meta.dirname, "..", "..", "dist", "raftctl.cjs");

export interface Outcome {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

export interface RunOptions {
	readonly directory: string;
	/** Another copy of it, or a link to one. */
	readonly program?: string;
	readonly stdin?: string;
	readonly environment?: Readonly<Record<string, string>>;
	/** Called with the process once it runs. */
	readonly during?: (child: ChildProcess) => void;
}

/** Runs the real raftctl without a terminal, to its end. */
export function raftctl(
	argv: readonly string[],
	options: RunOptions,
): Promise<Outcome> {
	const { directory, program = main, stdin = "" } = options;
	const { environment = {}, during } = options;
	if (!existsSync(main))
		throw new Error(`${main} is not there: run "npm run build" first`);
	const { PATH = "", HOME = "" } = process.env;
	const child = spawn(process.execPath, [program, ...argv], {
		cwd: directory,
		env: { PATH, HOME, ...environment },
	});
	let stdout = "";
	let stderr = "";
	child.stdout.setEncoding("utf8").on("data", (text) => {
		stdout += text;
	});
	child.stderr.setEncoding("utf8").on("data", (text) => {
		stderr += text;
	});
	// A program that ends before it has read all closes the pipe; that is its right.
	child.stdin.on("error", () => {});
	child.stdin.end(stdin);
	during?.(child);
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (code) => resolve({ code, stdout, stderr }));
	});
}

/** Runs the real raftctl on a terminal of its own; types `typed` once `awaited` is there. */
export function onTerminal(
	argv: readonly string[],
	wish: {
		readonly directory: string;
		readonly awaited: string;
		readonly typed: string;
	},
): Promise<{ readonly code: number | null; readonly output: string }> {
	const command = [process.execPath, main, ...argv]
		.map((word) => `'${word}'`)
		.join(" ");
	const child = spawn("script", ["-qefc", command, "/dev/null"], {
		cwd: wish.directory,
	});
	let output = "";
	let isTyped = false;
	child.stdout.setEncoding("utf8").on("data", (text) => {
		output += text;
		if (isTyped || !output.includes(wish.awaited)) return;
		isTyped = true;
		child.stdin.write(wish.typed);
	});
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (code) => resolve({ code, output }));
	});
}
