import type { FrameBatch } from "../../wire/client-frame-batch.js";
import { maxResponseFrameBytes } from "../../wire/client-frames.js";
import type { CommandOutcome, QueryOutcome } from "../replica.js";
import {
	type Failure,
	failureOfCommand,
	failureOfQuery,
	rejected,
	unknown,
} from "./failures.js";

const noBytes = new Uint8Array();
/** Kind, request id and index. */
const answerOverheadBytes = 11;

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
	requestId: number,
	outcome: QueryOutcome,
): void {
	if (outcome.kind === "failed")
		answerFailure(batch, requestId, failureOfQuery(outcome));
	else if (fits(outcome.answer))
		batch.result(requestId, outcome.index, outcome.answer);
	else
		answerFailure(
			batch,
			requestId,
			rejected("too-large", "the answer is too large to be told"),
		);
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
