import type { FailureReason } from "../../wire/client-frames.js";
import type {
	CommandOutcome,
	QueryOutcome,
	SessionOutcome,
} from "../replica.js";

/** Why a request was not done, the same on HTTP, WebSocket and stream. */
export interface Failure {
	readonly code: FailureReason;
	/** rejected: certainly not executed. unknown: may or may not be executed, now or later. */
	readonly outcome: "rejected" | "unknown";
	readonly message: string;
	/** 0 for no advice. */
	readonly retryAfterMs: number;
}

/** The caller's mistake, or this node's limit; thrown where a request is read. */
export class RequestError extends Error {
	override readonly name = "RequestError";
	readonly code: FailureReason;

	constructor(code: FailureReason, message: string) {
		super(message);
		this.code = code;
	}
}

/** What a thrown RequestError, and only that, tells the caller. Throws anything else on. */
export function failureOfError(error: unknown): Failure {
	if (error instanceof RequestError) return rejected(error.code, error.message);
	throw error;
}

/** Null when the command was done, as far as the caller wanted it. */
export function failureOfCommand(outcome: CommandOutcome): Failure | null {
	return outcome.kind === "rejected" || outcome.kind === "unknown"
		? failureOfSession(outcome)
		: null;
}

/** Of a session that was not opened; one that may have been opened all the same expires unused. */
export function failureOfSession(
	outcome: Exclude<SessionOutcome, { kind: "opened" }>,
): Failure {
	if (outcome.kind === "unknown") return unknown("unknown", outcome.message);
	const { reason, message, retryAfterMs } = outcome;
	return { code: reason, outcome: "rejected", message, retryAfterMs };
}

/** A query changes nothing, so asking again is always safe. */
export function failureOfQuery(
	outcome: Extract<QueryOutcome, { kind: "failed" }>,
): Failure {
	return rejected(outcome.reason, outcome.message);
}

/** How long to wait before the next attempt where nobody knows better. */
const defaultRetryAfterMs = 500;

export function rejected(code: FailureReason, message: string): Failure {
	const retryAfterMs = waitingHelps(code) ? defaultRetryAfterMs : 0;
	return { code, outcome: "rejected", message, retryAfterMs };
}

/** What a client gets instead of an answer while too many others wait for it to take them. */
export function untaken(bytes: number): Failure {
	return rejected(
		"overloaded",
		`${bytes} bytes of answers wait to be taken; take them, then ask again`,
	);
}

function waitingHelps(code: FailureReason): boolean {
	switch (code) {
		case "invalid":
		case "too-large":
		case "session-expired":
		case "session-misused":
		case "level":
		case "unsupported":
			return false;
		default:
			return true;
	}
}

export function unknown(code: FailureReason, message: string): Failure {
	return { code, outcome: "unknown", message, retryAfterMs: 0 };
}

/** The HTTP status of a failure. */
export function statusOf({ code, outcome }: Failure): number {
	if (outcome === "unknown") return 504;
	switch (code) {
		case "overloaded":
			return 429;
		case "too-large":
			return 413;
		case "invalid":
			return 400;
		case "session-expired":
			return 410;
		case "session-misused":
		case "level":
			return 409;
		case "unsupported":
			return 501;
		default:
			return 503;
	}
}

/** The failure as it stands in JSON, under "error". */
export function failureJson(failure: Failure): object {
	const { code, outcome, message, retryAfterMs } = failure;
	return retryAfterMs > 0
		? { code, outcome, message, retryAfterMs }
		: { code, outcome, message };
}
