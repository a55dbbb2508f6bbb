import type { CommandOutcome } from "../replica.js";
import { type Rejection, rejected } from "./admission.js";
import type { Leadership } from "./leadership.js";
import type { Request, RequestOutcome } from "./request.js";

/** With ack none, to be accepted is all. */
export function answerAccepted(request: Request): void {
	if (request.answered || request.origin.kind !== "local") return;
	request.answered = true;
	request.origin.done({ kind: "accepted" });
}

export function unknown(why: string): {
	readonly kind: "unknown";
	readonly message: string;
} {
	const message = `the command may or may not be executed: ${why}`;
	return { kind: "unknown", message };
}

/** The deadline has passed, and nobody was asked to execute the command. */
export function tooLate({ leader, transferring }: Leadership): Rejection {
	if (leader === null)
		return rejected("no-leader", "no leader was found in time");
	const why = transferring
		? "leadership is being handed over"
		: `${leader} leads`;
	return rejected("timeout", `the command was not taken in time; ${why}`);
}

/** What the client is told; `retry` never gets this far, as such a request waits on. */
export function toClient(outcome: RequestOutcome): CommandOutcome {
	return outcome.kind === "retry"
		? rejected("lost", "the command was not executed")
		: outcome;
}
