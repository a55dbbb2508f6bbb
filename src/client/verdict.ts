import type { FailedFrame } from "../wire/client-frames.js";
import {
	NotDoneError,
	type NotDoneReason,
	OutcomeUnknownError,
	type UnknownReason,
	withoutStack,
} from "./failures.js";
import type { Request } from "./request.js";

/** What follows from an attempt that was not answered with a result. */
export type Verdict =
	| { readonly next: "end"; readonly error: Error }
	/** Again, not before `atLeastMs`; ends with `error` when there is no time for that. */
	| {
			readonly next: "retry";
			readonly error: Error;
			readonly atLeastMs: number;
	  }
	/** Again, in another session: no attempt in this one was executed. */
	| { readonly next: "new-session"; readonly error: Error };

type Attempted = Pick<Request, "words" | "place" | "isDoubtful" | "attempts">;

/**
 * A node said no, or that it does not know. Sends again only what certainly was not executed, or what its session keeps
 * from being executed twice (P58). Raises `isDoubtful` where this attempt may have been executed.
 */
export function afterFailure(request: Request, failure: FailedFrame): Verdict {
	const { reason, outcome, message, retryAfterMs } = failure;
	const atLeastMs = reason === "overloaded" ? retryAfterMs : 0;
	if (outcome === "unknown" && request.words.kind === "command") {
		request.isDoubtful = true;
		const error = new OutcomeUnknownError(reason, message);
		// Executed, and its result is too long for a frame: it is that each time.
		return request.place === null || reason === "too-large"
			? { next: "end", error }
			: { next: "retry", error, atLeastMs };
	}
	const error = errorOf(request, reason, message);
	if (reason === "session-expired") {
		const isInSession = request.place !== null;
		const isSafe = isInSession && !request.isDoubtful;
		return { next: isSafe ? "new-session" : "end", error };
	}
	return isWorthAnother(request, failure)
		? { next: "retry", error, atLeastMs }
		: { next: "end", error };
}

/** Not sent, as the nodes send away what is beyond the congestion window. */
export function heldBack(request: Request, atLeastMs: number): Verdict {
	const message = "the nodes have no room for more than what is under way";
	const error = errorOf(request, "overloaded", message);
	return { next: "retry", error, atLeastMs };
}

/** It was written to a connection that is gone. */
export function afterLoss(request: Request, reason: string): Verdict {
	if (request.words.kind !== "command") {
		// A query changes nothing, and a session that nobody knows of expires.
		const error = errorOf(request, "unreachable", reason);
		return { next: "retry", error, atLeastMs: 0 };
	}
	request.isDoubtful = true;
	const error = new OutcomeUnknownError(
		"connection-lost",
		`the connection was lost before the answer: ${reason}`,
	);
	return request.place === null
		? { next: "end", error }
		: { next: "retry", error, atLeastMs: 0 };
}

/** Its time is over, and it is on no connection. `failure`: why there is none. */
export function neverSent(request: Attempted, failure: Error | null): Error {
	return failure === null
		? errorOf(request, "timeout", "its time was over before it could be sent")
		: errorOf(
				request,
				"unreachable",
				`no connection: ${failure.message}`,
				failure,
			);
}

/** Its time is over, and a node has it. */
export function unanswered(request: Attempted): Error {
	const message = "no answer came in time";
	return request.words.kind === "command"
		? new OutcomeUnknownError("timeout", message)
		: errorOf(request, "timeout", message);
}

/** The last attempt was certainly not executed; that says nothing of the ones before. */
export function errorOf(
	{ isDoubtful, attempts }: Pick<Attempted, "isDoubtful" | "attempts">,
	reason: NotDoneReason,
	message: string,
	cause?: unknown,
): NotDoneError | OutcomeUnknownError {
	if (isDoubtful)
		return new OutcomeUnknownError(
			unknownReason(reason),
			`an earlier attempt may have been executed; the last was not: ${message}`,
		);
	return withoutStack(
		() => new NotDoneError(reason, message, { attempts, cause }),
	);
}

function unknownReason(reason: NotDoneReason): UnknownReason {
	switch (reason) {
		case "unreachable":
		case "too-many":
		case "closed":
			return "connection-lost";
		default:
			return reason;
	}
}

/** Only what the node certainly did not do comes here; some of it would fail the same way again. */
function isWorthAnother(
	{ place }: Attempted,
	{ reason, outcome }: FailedFrame,
): boolean {
	if (outcome === "unknown") return reason !== "too-large";
	switch (reason) {
		case "overloaded":
		case "no-leader":
		case "stopping":
		case "lost":
		case "clock":
			return true;
		case "session-misused":
			// Its number is not acknowledged, so it is for want of room: other results are in the way for a while.
			return place !== null;
		default:
			return false;
	}
}
