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
	/** The command, or the sentence, that goes on from here. */
	readonly next?: string;
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
		this.next = details.next;
		this.isLasting = details.isLasting ?? false;
	}
}

/** The same error, with these where it says nothing of them itself. */
export function completed(
	error: OperatorError,
	lacking: Pick<ErrorDetails, "state" | "next">,
): OperatorError {
	const { kind, message, node, problems, isLasting, cause } = error;
	const state = error.state ?? lacking.state;
	const next = error.next ?? lacking.next;
	return new OperatorError(kind, message, {
		...(node === undefined ? {} : { node }),
		...(state === undefined ? {} : { state }),
		...(next === undefined ? {} : { next }),
		...{ problems, isLasting, cause },
	});
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
