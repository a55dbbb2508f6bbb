import { FrameError } from "./frame-splitter.js";

/**
 * The stream between a client and a node, after the HTTP Upgrade to `raftd-stream/1` (docs/client-api.md). Each frame
 * is, little-endian:
 *
 *     0  u32  length of what follows      4  u8  kind      5  u32  request id      9  payload
 *
 * A request id is the client's own; the answer repeats it. Answers come in any order.
 */
export const streamProtocol = "raftd-stream/1";

export const ClientFrameKind = {
	command: 1,
	query: 2,
	result: 16,
	failed: 17,
	goaway: 18,
} as const;

/** What a node reads at most in one frame; a longer one ends the connection. */
export const maxRequestFrameBytes = 2 * 1024 * 1024 + 64;
/** What a client must be ready to read in one frame; a node answers `failed` instead of sending a longer one. */
export const maxResponseFrameBytes = 16 * 1024 * 1024;

export const acks = ["none", "commit", "apply"] as const;
export const consistencies = ["linearizable", "stale"] as const;
export const outcomes = ["rejected", "unknown"] as const;
/** The position is the code on the wire: append only. */
export const reasons = [
	"unknown",
	"overloaded",
	"too-large",
	"invalid",
	"no-leader",
	"stopping",
	"lost",
	"timeout",
] as const;

export type Ack = (typeof acks)[number];
export type Consistency = (typeof consistencies)[number];
export type FailureReason = (typeof reasons)[number];

export interface CommandFrame {
	readonly kind: "command";
	readonly requestId: number;
	readonly ack: Ack;
	/** How long the client waits, from the frame's arrival. */
	readonly deadlineMs: number;
	readonly command: Uint8Array;
}

export interface QueryFrame {
	readonly kind: "query";
	readonly requestId: number;
	readonly consistency: Consistency;
	/** Wait until this index is applied; 0 for none. */
	readonly minIndex: number;
	readonly deadlineMs: number;
	readonly query: Uint8Array;
}

/**
 * The answer to a command or a query. `index` is the command's (0 with ack none), or the one the query was answered
 * at. `result` is empty unless the command was executed or the query answered.
 */
interface ResultFrame {
	readonly kind: "result";
	readonly requestId: number;
	readonly index: number;
	readonly result: Uint8Array;
}

/** `rejected`: certainly not executed, and never will be. `unknown`: may or may not be executed, now or later. */
export interface FailedFrame {
	readonly kind: "failed";
	readonly requestId: number;
	readonly outcome: "rejected" | "unknown";
	readonly reason: FailureReason;
	/** When to try again; 0 for no advice. */
	readonly retryAfterMs: number;
	readonly message: string;
}

/** The server is leaving: it answers what it was sent; what follows belongs on another connection. */
interface GoawayFrame {
	readonly kind: "goaway";
	readonly requestId: 0;
}

export type RequestFrame = CommandFrame | QueryFrame;
export type ResponseFrame = ResultFrame | FailedFrame | GoawayFrame;

/** Kind and request id; the shortest frame there is. */
export const bodyHeaderBytes = 5;
/** What a payload begins with, before the bytes that belong to the machine. */
export const payloadHeaderBytes = {
	command: 5,
	query: 11,
	result: 6,
	failed: 6,
} as const;

/** Reads what a client sent. `command` and `query` are views of `frame`. Throws FrameError. */
export function decodeRequestFrame(frame: Buffer): RequestFrame {
	const kind = frame[0];
	const requestId = frame.readUInt32LE(1);
	if (kind === ClientFrameKind.command) {
		need(frame, payloadHeaderBytes.command);
		return {
			kind: "command",
			requestId,
			ack: named(acks, frame[5], "ack"),
			deadlineMs: frame.readUInt32LE(6),
			command: frame.subarray(bodyHeaderBytes + payloadHeaderBytes.command),
		};
	}
	if (kind === ClientFrameKind.query) {
		need(frame, payloadHeaderBytes.query);
		return {
			kind: "query",
			requestId,
			consistency: named(consistencies, frame[5], "consistency"),
			minIndex: frame.readUIntLE(6, 6),
			deadlineMs: frame.readUInt32LE(12),
			query: frame.subarray(bodyHeaderBytes + payloadHeaderBytes.query),
		};
	}
	throw new FrameError(`a request of unknown kind ${kind}`);
}

/** Reads what a node sent. `result` is a view of `frame`. Throws FrameError. */
export function decodeResponseFrame(frame: Buffer): ResponseFrame {
	const kind = frame[0];
	const requestId = frame.readUInt32LE(1);
	if (kind === ClientFrameKind.result) {
		need(frame, payloadHeaderBytes.result);
		return {
			kind: "result",
			requestId,
			index: frame.readUIntLE(5, 6),
			result: frame.subarray(bodyHeaderBytes + payloadHeaderBytes.result),
		};
	}
	if (kind === ClientFrameKind.failed) {
		need(frame, payloadHeaderBytes.failed);
		return {
			kind: "failed",
			requestId,
			outcome: named(outcomes, frame[5], "outcome"),
			// A reason that a newer node has and this client has not is still a failure: its outcome says what to do.
			reason: reasons[frame[6] as number] ?? "unknown",
			retryAfterMs: frame.readUInt32LE(7),
			message: frame.toString(
				"utf8",
				bodyHeaderBytes + payloadHeaderBytes.failed,
			),
		};
	}
	if (kind === ClientFrameKind.goaway) return { kind: "goaway", requestId: 0 };
	throw new FrameError(`an answer of unknown kind ${kind}`);
}

function need(frame: Buffer, payloadBytes: number): void {
	if (frame.length < bodyHeaderBytes + payloadBytes)
		throw new FrameError(
			`a frame of kind ${frame[0]} cut short at ${frame.length} bytes`,
		);
}

function named<Name extends string>(
	names: readonly Name[],
	code: number | undefined,
	what: string,
): Name {
	const name = names[code as number];
	if (name === undefined) throw new FrameError(`unknown ${what} ${code}`);
	return name;
}
