import { decodeSessionAnswer } from "../../machines/sessions.js";
import type { CommandOutcome, Replica } from "../replica.js";
import { rejected } from "./admission.js";
import { sessionTtlMs } from "./session-opening.js";

/** When there is no room for another session: some may have expired by then. */
const retryAfterMs = 5000;

type Opened = Parameters<Parameters<Replica["openSession"]>[1]>[0];

/** What the client is told of the control command that was to open a session. */
export function opened(outcome: CommandOutcome, node: string): Opened {
	if (outcome.kind === "applied") {
		const { ok } = JSON.parse(Buffer.from(outcome.result).toString());
		if (ok === true)
			return { kind: "opened", id: outcome.index, ttlMs: sessionTtlMs };
		const message = "the cluster keeps as many sessions as it may";
		return { ...rejected("overloaded", message), retryAfterMs };
	}
	if (outcome.kind === "rejected" && outcome.reason === "clock")
		return { ...outcome, message: `${node}: ${outcome.message}` };
	if (outcome.kind === "rejected" || outcome.kind === "unknown") return outcome;
	return { kind: "unknown", message: "whether a session was opened is open" };
}

/** The outcome of a session's command as that of the command in it. */
export function unwrapped(
	done: (outcome: CommandOutcome) => void,
	ack: "none" | "commit" | "apply",
): (outcome: CommandOutcome) => void {
	return (outcome) => {
		if (outcome.kind !== "applied") {
			done(outcome);
			return;
		}
		const answer = decodeSessionAnswer(outcome.result);
		if (answer.kind === "refused")
			done(rejected(answer.reason, answer.message));
		else if (ack === "apply")
			done({ kind: "applied", index: answer.index, result: answer.result });
		else done({ kind: "committed", index: answer.index });
	};
}
