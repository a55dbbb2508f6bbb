import type { ByteCursor } from "./byte-cursor.js";
import { acks, type FailureReason, reasons } from "./client-frames.js";
import { FrameError } from "./frame-splitter.js";

/** Which of the log's kinds of command a forwarded one becomes (raft/types.ts, EntryKind). */
const forwardedKinds = { command: 1, control: 3, sessionCommand: 4 } as const;
export type ForwardedKind =
	(typeof forwardedKinds)[keyof typeof forwardedKinds];

export interface ForwardedCommand {
	/** The sender's own; the outcome repeats it. */
	readonly requestId: number;
	readonly kind: ForwardedKind;
	/** Of the entry format that the command is written in; 0 leaves it to the leader. */
	readonly level: number;
	readonly ack: (typeof acks)[number];
	/** How long the sender waits, from the arrival on. */
	readonly deadlineMs: number;
	readonly command: Uint8Array;
}

/** Commands of one turn, from a follower to its leader. */
export interface ForwardFrame {
	readonly type: "forward";
	readonly commands: readonly ForwardedCommand[];
}

/**
 * What became of a forwarded command. `retry`: certainly not executed, and the asked node is not the one to do it; it
 * may be asked again, here or elsewhere. `rejected` is an answer to the client.
 */
export type ForwardOutcome =
	| { readonly kind: "committed"; readonly index: number }
	| {
			readonly kind: "applied";
			readonly index: number;
			readonly result: Uint8Array;
	  }
	| { readonly kind: "retry" }
	| {
			readonly kind: "rejected";
			readonly reason: Exclude<FailureReason, "unknown" | "unsupported">;
			readonly retryAfterMs: number;
			readonly message: string;
	  }
	| { readonly kind: "unknown"; readonly message: string };

export interface ForwardAnswer {
	readonly requestId: number;
	readonly outcome: ForwardOutcome;
}

/** Outcomes of one turn, from the leader back. */
export interface OutcomesFrame {
	readonly type: "outcomes";
	readonly answers: readonly ForwardAnswer[];
}

/** The position is the code on the wire: append only. */
export const outcomeKinds = [
	"committed",
	"applied",
	"retry",
	"rejected",
	"unknown",
] as const;

/** Bytes of a forwarded command before the command itself. */
export const forwardHeaderBytes = 17;
/** A sentence is cut to this; it is for a person. */
const maxSentenceBytes = 512;

const kinds: readonly number[] = Object.values(forwardedKinds);

export function decodeForward(cursor: ByteCursor): ForwardFrame {
	const commands: ForwardedCommand[] = [];
	while (cursor.left > 0) {
		const requestId = cursor.u48();
		const kind = cursor.u8();
		if (!kinds.includes(kind))
			throw new FrameError(`a forwarded command of kind ${kind}`);
		const level = cursor.u8();
		const ack = acks[cursor.u8()];
		if (ack === undefined)
			throw new FrameError("a forwarded command with an unknown ack");
		const deadlineMs = cursor.u32();
		const command = cursor.bytes(cursor.u32());
		commands.push({
			requestId,
			kind: kind as ForwardedKind,
			level,
			ack,
			deadlineMs,
			command,
		});
	}
	return { type: "forward", commands };
}

export function decodeOutcomes(cursor: ByteCursor): OutcomesFrame {
	const answers: ForwardAnswer[] = [];
	while (cursor.left > 0) {
		const requestId = cursor.u48();
		answers.push({ requestId, outcome: decodeOutcome(cursor) });
	}
	return { type: "outcomes", answers };
}

function decodeOutcome(cursor: ByteCursor): ForwardOutcome {
	const code = cursor.u8();
	const kind = outcomeKinds[code];
	switch (kind) {
		case "committed":
			return { kind, index: cursor.u48() };
		case "applied": {
			const index = cursor.u48();
			return { kind, index, result: cursor.bytes(cursor.u32()) };
		}
		case "retry":
			return { kind };
		case "rejected": {
			const reason = reasons[cursor.u8()];
			if (
				reason === undefined ||
				reason === "unknown" ||
				reason === "unsupported"
			)
				throw new FrameError("a rejection for an unknown reason");
			const retryAfterMs = cursor.u32();
			return { kind, reason, retryAfterMs, message: sentence(cursor) };
		}
		case "unknown":
			return { kind, message: sentence(cursor) };
		default:
			throw new FrameError(`an outcome of kind ${code}`);
	}
}

/** The bytes that `answer` takes in a frame. */
export function answerBytes({ outcome }: ForwardAnswer): number {
	switch (outcome.kind) {
		case "committed":
			return 13;
		case "applied":
			return 17 + outcome.result.length;
		case "retry":
			return 7;
		case "rejected":
			return 14 + sentenceBytes(outcome.message).length;
		case "unknown":
			return 9 + sentenceBytes(outcome.message).length;
	}
}

export function sentenceBytes(message: string): Buffer {
	return Buffer.from(message).subarray(0, maxSentenceBytes);
}

function sentence(cursor: ByteCursor): string {
	return cursor.text(cursor.u16());
}
