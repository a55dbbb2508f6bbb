/**
 * Every error that reaches a person: what happened, where, what state things are in, and what to type next. The kind
 * decides the exit code; nothing matches on messages.
 */
export const exitCodes = {
	unexpected: 1,
	usage: 2,
	/** A mistake in a file the user wrote; `problems` names each with file:line:column. */
	config: 2,
	changes: 3,
	unhealthy: 10,
	/** A safety check said no; nothing was touched. */
	refused: 11,
	/** Took too long; the state is safe and the command can be given again. */
	timeout: 12,
	locked: 13,
	/** Some of it is done; resume. */
	partial: 14,
	unreachable: 20,
	interrupted: 130,
	terminated: 143,
} as const;

export type ErrorKind = keyof typeof exitCodes;

interface ErrorDetails {
	/** The node or host it happened on. */
	readonly node?: string;
	/** Several failures at once: all of them, one line each. */
	readonly problems?: readonly string[];
	/** What state things are in now. */
	readonly state?: string;
	/** The command, or the sentence, that goes on from here; by default what `remedy` says, then the same command. */
	readonly next?: string;
	/**
	 * What has to be seen to before it is tried again, "" for nothing. Where it went wrong nobody knows how that is done: by
	 * the same command, or by the resume of an operation that stands unfinished.
	 */
	readonly remedy?: string;
	readonly cause?: unknown;
	/** Time does not heal it, only somebody does: nobody is to wait for it. */
	readonly isLasting?: boolean;
}

export class OperatorError extends Error {
	override readonly name = "OperatorError";
	readonly kind: ErrorKind;
	readonly exitCode: number;
	readonly node: string | undefined;
	readonly problems: readonly string[];
	readonly state: string | undefined;
	readonly next: string | undefined;
	readonly remedy: string | undefined;
	readonly isLasting: boolean;

	/** `message` is one sentence without a full stop that says what happened. */
	constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
		super(
			message,
			details.cause === undefined ? undefined : { cause: details.cause },
		);
		this.kind = kind;
		this.exitCode = exitCodes[kind];
		this.node = details.node;
		this.problems = details.problems ?? [];
		this.state = details.state;
		this.remedy = details.remedy;
		this.next = details.next ?? againAfter(details.remedy);
		this.isLasting = details.isLasting ?? false;
	}
}

function againAfter(remedy: string | undefined): string | undefined {
	if (remedy === undefined) return undefined;
	const again = "give the command again";
	return remedy === "" ? again : `${remedy}, then ${again}`;
}

/** The same error, with these where it says nothing of them itself. */
export function completed(
	error: OperatorError,
	lacking: Pick<ErrorDetails, "state" | "next" | "remedy">,
): OperatorError {
	const state = error.state ?? lacking.state;
	return reworded(error, {
		...(state === undefined ? {} : { state }),
		...wayOnOf(error.next === undefined ? lacking : error),
	});
}

/** The same error with another state of things, and another way on. */
export function reworded(
	error: OperatorError,
	words: Pick<ErrorDetails, "state" | "next" | "remedy">,
): OperatorError {
	const { kind, message, node, problems, isLasting, cause } = error;
	return new OperatorError(kind, message, {
		...(node === undefined ? {} : { node }),
		...{ problems, isLasting, cause, ...words },
	});
}

/** What an error says of the way on, for the one that takes its place. */
export function wayOnOf({
	next,
	remedy,
}: {
	readonly next?: string | undefined;
	readonly remedy?: string | undefined;
}): Pick<ErrorDetails, "next" | "remedy"> {
	return {
		...(next === undefined ? {} : { next }),
		...(remedy === undefined ? {} : { remedy }),
	};
}

/** Whether what was thrown, or what a program said, is of a full disk, or of a quota that is used up. */
export function isOfFullDisk(cause: unknown): boolean {
	if (typeof cause === "string")
		return /No space left on device|Disk quota exceeded/.test(cause);
	const { code } = (cause ?? {}) as { readonly code?: unknown };
	return code === "ENOSPC" || code === "EDQUOT";
}

/** Of a file that is written whole or not at all. `freeBytes`: null where nobody can say. */
export function fullDisk(
	path: string,
	{
		host,
		freeBytes,
		cause,
	}: {
		/** As in the cluster file; "local" for this machine. */
		readonly host: string;
		readonly freeBytes: number | null;
		readonly cause?: unknown;
	},
): OperatorError {
	const directory = path.slice(0, path.lastIndexOf("/")) || "/";
	const where = host === "local" ? "this machine" : host;
	const free = freeBytes === null ? "" : `: ${freeBytes} bytes are free`;
	return new OperatorError(
		"refused",
		`${path} could not be written: the disk of ${directory} on ${where} is full${free}`,
		{
			...{ node: host, cause },
			state: "what was there before is still there",
			remedy: roomOn(host, directory),
		},
	);
}

/** What is to be done of a full disk. */
export function roomOn(host: string, directory = ""): string {
	const look = directory === "" ? "df -h" : `df -h ${directory}`;
	return host === "local"
		? `make room on this machine (${look})`
		: `make room on ${host} (${look} there)`;
}

/** What has to be seen to, of several failures, each once. */
export function remediesOf(failures: readonly unknown[]): readonly string[] {
	const remedies = failures.flatMap((error) =>
		error instanceof OperatorError && error.remedy ? [error.remedy] : [],
	);
	return [...new Set(remedies)];
}

/** The message of whatever was thrown. */
export function reasonOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** For people, in the one form that all the programs use. */
export function errorText(
	error: Pick<OperatorError, "message" | "problems" | "state" | "next">,
): string {
	const { message, problems, state, next } = error;
	const lines = [`Error: ${sentence(message)}`];
	for (const problem of problems) lines.push(`  ${problem}`);
	if (state !== undefined) lines.push(`State: ${sentence(state)}`);
	if (next !== undefined) lines.push(`Next: ${next}`);
	return `${lines.join("\n")}\n`;
}

/** With a full stop, unless it ends otherwise. */
export function sentence(text: string): string {
	return /[.!?:]$/.test(text) ? text : `${text}.`;
}
