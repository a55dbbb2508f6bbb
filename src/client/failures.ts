import type { FailureReason } from "../wire/client-frames.js";

/** Why a request was not done: the node's word, or what the client itself found. */
export type NotDoneReason =
	| FailureReason
	/** No endpoint could be connected to in time. */
	| "unreachable"
	/** What answers at the endpoints does not speak the stream protocol. */
	| "unsupported"
	/** This client already has as many unanswered requests as it may. */
	| "too-many"
	/** The client was closed. */
	| "closed";

/** It would say the same again: another node is to be asked. */
export function sendsAway(reason: FailureReason): boolean {
	return reason === "stopping" || reason === "clock";
}

/** Certainly not executed, and never will be: doing it again cannot do it twice. */
export class NotDoneError extends Error {
	override readonly name = "NotDoneError";
	readonly reason: NotDoneReason;
	/** How often it was sent. */
	readonly attempts: number;

	constructor(
		reason: NotDoneReason,
		message: string,
		details: { readonly attempts?: number; readonly cause?: unknown } = {},
	) {
		super(
			message,
			details.cause === undefined ? undefined : { cause: details.cause },
		);
		this.reason = reason;
		this.attempts = details.attempts ?? 0;
	}
}

/** What was heard of it last. */
export type UnknownReason = FailureReason | "connection-lost";

/**
 * May or may not be executed, now or later: the answer got lost. Only the application can tell whether doing it again
 * is right; a compare-and-set, or a read first, usually is. With `exactlyOnce` the client has tried for as long as it
 * could; without, it has not tried again.
 */
export class OutcomeUnknownError extends Error {
	override readonly name = "OutcomeUnknownError";
	readonly reason: UnknownReason;

	constructor(reason: UnknownReason, message: string) {
		super(message);
		this.reason = reason;
	}
}

/** The events to resume with are no longer kept: read the state anew and subscribe from `oldestIndex` or from now. */
export class EventsGoneError extends Error {
	override readonly name = "EventsGoneError";
	readonly wantedIndex: number;
	readonly oldestIndex: number;

	constructor(wantedIndex: number, oldestIndex: number) {
		super(
			`events from index ${wantedIndex} on are no longer kept; the oldest kept is ${oldestIndex}`,
		);
		this.wantedIndex = wantedIndex;
		this.oldestIndex = oldestIndex;
	}
}

/**
 * An error that is made when an answer comes has a stack that leads to a socket and tells nobody anything, and to walk
 * it costs as much as the whole rest of a refusal: it would be paid when there is least time.
 */
export function withoutStack<Made extends Error>(make: () => Made): Made {
	const { stackTraceLimit } = Error;
	Error.stackTraceLimit = 0;
	try {
		return make();
	} finally {
		Error.stackTraceLimit = stackTraceLimit;
	}
}
