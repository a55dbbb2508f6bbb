import { type ErrorKind, exitCodes, OperatorError } from "../errors.js";
import { runAttached } from "../hosts/attached.js";

/** The raftd that looks at a data directory of this machine. */
export interface OfflineRaftd {
	readonly programs: { readonly node: string; readonly raftd: string };
	readonly dataDirectory: string;
	readonly signal: AbortSignal;
}

/**
 * Looks at a data directory of this machine, changing nothing, with the raftd that came with this raftctl. For people:
 * raftd itself writes to the terminal. Resolves with its exit code.
 */
export async function doctor(raftd: OfflineRaftd): Promise<number> {
	const { exitCode } = await runAttached(raftdArguments(raftd, "doctor", []), {
		stdout: "inherit",
		signal: raftd.signal,
	});
	return exitCode;
}

/** The same as an object. Throws what raftd said it failed with. */
export async function doctorReport(
	raftd: OfflineRaftd,
): Promise<{ readonly report: object; readonly exitCode: number }> {
	const { exitCode, stdout } = await runAttached(
		raftdArguments(raftd, "doctor", ["--json"]),
		{ stdout: "collect", signal: raftd.signal },
	);
	return { report: reportOf(stdout, "doctor", exitCode), exitCode };
}

/** What raftd wrote with --json. Throws what it said it failed with. */
export function reportOf(
	stdout: string,
	words: string,
	exitCode: number,
): Record<string, unknown> {
	const report = parsed(stdout, words, exitCode);
	if ("error" in report) throw errorOf(report.error as ToldError);
	return report;
}

export function raftdArguments(
	{ programs, dataDirectory }: OfflineRaftd,
	word: string,
	flags: readonly string[],
): string[] {
	const { node, raftd } = programs;
	return [node, raftd, word, "--data-dir", dataDirectory, ...flags];
}

/** An error as raftd writes it for machines. */
interface ToldError {
	readonly kind: ErrorKind;
	readonly message: string;
	readonly node?: string;
	readonly problems?: readonly string[];
	readonly state?: string;
	readonly next?: string;
}

function errorOf({ kind, message, ...details }: ToldError): OperatorError {
	const known = Object.hasOwn(exitCodes, kind) ? kind : "unexpected";
	return new OperatorError(known, message, details);
}

function parsed(
	stdout: string,
	words: string,
	exitCode: number,
): Record<string, unknown> {
	try {
		return JSON.parse(stdout);
	} catch (cause) {
		throw new OperatorError(
			"unexpected",
			`raftd ${words} ended with ${exitCode} and gave no report`,
			{ state: "nothing was changed", cause },
		);
	}
}
