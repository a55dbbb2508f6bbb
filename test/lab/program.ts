import { execa } from "execa";
import { OperatorError } from "../../src/errors.js";

export interface ProgramOptions {
	readonly timeoutMs?: number;
	readonly stdin?: string;
	readonly cwd?: string;
}

export interface ProgramResult {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
}

const defaultTimeoutMs = 30_000;

/** Runs to the end; a non-zero exit is a result. Throws OperatorError "timeout", or "unexpected" when it cannot run. */
export async function attempt(
	argv: readonly string[],
	{ timeoutMs = defaultTimeoutMs, stdin, cwd }: ProgramOptions = {},
): Promise<ProgramResult> {
	const [program = "", ...args] = argv;
	const result = await execa(program, args, {
		reject: false,
		timeout: timeoutMs,
		...(stdin === undefined ? { stdin: "ignore" } : { input: stdin }),
		...(cwd === undefined ? {} : { cwd }),
	});
	const {
		exitCode,
		stdout,
		stderr,
		shortMessage = `${program} did not run`,
	} = result;
	if (result.timedOut) {
		throw new OperatorError(
			"timeout",
			`\`${argv.join(" ")}\` did not end within ${timeoutMs} ms`,
		);
	}
	if (exitCode === undefined)
		throw new OperatorError("unexpected", shortMessage);
	return { exitCode, stdout, stderr };
}

/** The same, where anything but success is an error; gives back what it wrote. */
export async function run(
	argv: readonly string[],
	options: ProgramOptions = {},
): Promise<string> {
	const { exitCode, stdout, stderr } = await attempt(argv, options);
	if (exitCode === 0) return stdout;
	throw new OperatorError(
		"unexpected",
		`\`${argv.join(" ")}\` ended with ${exitCode}`,
		{ state: stderr.trim().slice(-2_000) },
	);
}
