import {
	type ErrorKind,
	exitCodes,
	OperatorError,
	reasonOf,
	sentence,
} from "../errors.js";
import { coloursFor } from "./colours.js";
import { type Presentation, serialise } from "./output.js";

/** An error as a machine reads it (docs/cli.md). Fields that say nothing are left out. */
export interface FailureReport {
	readonly kind: ErrorKind;
	readonly message: string;
	readonly node?: string;
	readonly problems?: readonly string[];
	readonly state?: string;
	readonly next?: string;
	readonly causes?: readonly string[];
}

/** Says on stderr, or on stdout for machines, what went wrong. Returns the exit code; prints nothing for oclif's exit. */
export async function reportFailure(
	error: unknown,
	presentation: Presentation,
	interrupted: number | null,
): Promise<number> {
	const exit = quietExit(error);
	if (exit !== null) return exit;
	const report = failureReport(error, presentation.verbose);
	const code =
		interrupted !== null && isInterruption(report.kind)
			? interrupted
			: exitCodes[report.kind];
	if (presentation.output === "table") {
		process.stderr.write(await failureText(report));
	} else {
		const envelope =
			presentation.output === "ndjson"
				? { version: 1, type: "error", error: report }
				: { error: report };
		process.stdout.write(await serialise(envelope, presentation.output));
	}
	return code;
}

/** The report of whatever was thrown: ours, oclif's usage errors, an abort, or something nobody foresaw. */
export function failureReport(error: unknown, verbose: boolean): FailureReport {
	const causes = verbose ? causesOf(error) : [];
	const known = asOperatorError(error);
	return {
		kind: known.kind,
		message: known.message,
		...(known.node !== undefined && { node: known.node }),
		...(known.problems.length > 0 && { problems: known.problems }),
		...(known.state !== undefined && { state: known.state }),
		...(known.next !== undefined && { next: known.next }),
		...(causes.length > 0 && { causes }),
	};
}

function asOperatorError(error: unknown): OperatorError {
	if (error instanceof OperatorError) return error;
	if (error instanceof Error && error.name === "AbortError")
		return new OperatorError("interrupted", "interrupted", { cause: error });
	if (isUsageError(error))
		return new OperatorError("usage", error.message, {
			state: "nothing was touched",
			next: "add --help to see what the command takes",
		});
	return new OperatorError("unexpected", reasonOf(error), {
		next: "give the command again with --verbose; if it stays, this is a bug in raftctl",
	});
}

/** oclif marks what the user typed wrongly with the exit code it would use. */
function isUsageError(error: unknown): error is Error {
	return error instanceof Error && "oclif" in error;
}

function quietExit(error: unknown): number | null {
	if (!isUsageError(error)) return null;
	if ((error as NodeJS.ErrnoException).code !== "EEXIT") return null;
	const { exit } = (error as Error & { oclif: { exit?: number } }).oclif;
	return exit ?? 0;
}

function isInterruption(kind: ErrorKind): boolean {
	return kind === "interrupted" || kind === "terminated";
}

/** The chain below the error itself, each with its code; for the unforeseen also where it was thrown. */
function causesOf(error: unknown): string[] {
	const causes: string[] = [];
	if (!(error instanceof OperatorError) && error instanceof Error)
		causes.push(error.stack ?? error.message);
	let cause = error instanceof Error ? error.cause : undefined;
	while (cause !== undefined && causes.length < 10) {
		causes.push(isUnforeseen(error, cause) ? cause.stack : saidBy(cause));
		cause = cause instanceof Error ? cause.cause : undefined;
	}
	return causes;
}

/** What an operation ended with that nobody foresaw lies below the words on how it goes on. */
function isUnforeseen(
	error: unknown,
	cause: unknown,
): cause is Error & { readonly stack: string } {
	return (
		error instanceof OperatorError &&
		error.kind === "unexpected" &&
		!(cause instanceof OperatorError) &&
		cause instanceof Error &&
		cause.stack !== undefined
	);
}

function saidBy(cause: unknown): string {
	const code =
		cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
	return `${reasonOf(cause)}${code}`;
}

async function failureText(report: FailureReport): Promise<string> {
	const colours = await coloursFor(process.stderr);
	const where = isNamed(report) ? "" : `${report.node}: `;
	const lines = [
		`${colours.red.bold("Error:")} ${where}${sentence(report.message)}`,
	];
	for (const problem of report.problems ?? []) lines.push(`  ${problem}`);
	for (const cause of report.causes ?? [])
		lines.push(colours.dim(`  caused by: ${cause}`));
	if (report.state !== undefined)
		lines.push(`${colours.bold("State:")} ${sentence(report.state)}`);
	if (report.next !== undefined)
		lines.push(`${colours.bold("Next:")} ${report.next}`);
	return `${lines.join("\n")}\n`;
}

/** Whether the message says itself which node it is about, or there is none. */
function isNamed({ node, message }: FailureReport): boolean {
	return node === undefined || message.split(/[^\w.-]+/).includes(node);
}
