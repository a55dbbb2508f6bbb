import type { FrameBatch } from "../../wire/client-frame-batch.js";
import {
	maxResponseFrameBytes,
	type QueryFrame,
} from "../../wire/client-frames.js";
import type {
	CommandOutcome,
	QueryOutcome,
	SessionOutcome,
} from "../replica.js";
import {
	type Failure,
	failureOfCommand,
	failureOfQuery,
	failureOfSession,
	rejected,
	unknown,
} from "./failures.js";

const noBytes = new Uint8Array();
/** Kind, request id, index and age. */
const answerOverheadBytes = 15;

export function answerCommand(
	batch: FrameBatch,
	requestId: number,
	outcome: CommandOutcome,
): void {
	const failure = failureOfCommand(outcome);
	if (failure !== null) {
		answerFailure(batch, requestId, failure);
		return;
	}
	const index = "index" in outcome ? outcome.index : 0;
	const result = outcome.kind === "applied" ? outcome.result : noBytes;
	if (fits(result)) batch.result(requestId, index, result);
	// Executed, yet its result cannot be told; "unknown" is the one outcome that keeps a client from trying again.
	else
		answerFailure(
			batch,
			requestId,
			unknown(
				"too-large",
				`executed at index ${index}; its result is too large to be told`,
			),
		);
}

export function answerQuery(
	batch: FrameBatch,
	{ requestId, wantsAge = false }: Pick<QueryFrame, "requestId" | "wantsAge">,
	outcome: QueryOutcome,
): void {
	if (outcome.kind === "failed")
		answerFailure(batch, requestId, failureOfQuery(outcome));
	else if (fits(outcome.answer)) {
		if (wantsAge) batch.agedResult(requestId, outcome, outcome.answer);
		else batch.result(requestId, outcome.index, outcome.answer);
	} else
		answerFailure(
			batch,
			requestId,
			rejected("too-large", "the answer is too large to be told"),
		);
}

export function answerSession(
	batch: FrameBatch,
	requestId: number,
	outcome: SessionOutcome,
): void {
	if (outcome.kind === "opened")
		batch.session(requestId, outcome.id, outcome.ttlMs);
	else answerFailure(batch, requestId, failureOfSession(outcome));
}

export function answerFailure(
	batch: FrameBatch,
	requestId: number,
	{ code: reason, outcome, message, retryAfterMs }: Failure,
): void {
	batch.failed({ requestId, outcome, reason, message, retryAfterMs });
}

function fits(bytes: Uint8Array): boolean {
	return bytes.length + answerOverheadBytes <= maxResponseFrameBytes;
}
