/**
 * The stream between a client and a node, after the HTTP Upgrade to `raftd-stream/1` (docs/client-api.md). Each frame
 * is, little-endian:
 *
 *     0  u32  length of what follows      4  u8  kind      5  u32  request id      9  payload
 *
 * A request id is the client's own; the answer repeats it. Answers come in any order.
 */
export const streamProtocol = "raftd-stream/1";

/** Requests are 1 to 15, so that a node can tell one of a newer client from garbage. Append only. */
export const ClientFrameKind = {
	command: 1,
	query: 2,
	openSession: 3,
	sessionCommand: 4,
	levelledCommand: 5,
	result: 16,
	failed: 17,
	goaway: 18,
	session: 19,
	agedResult: 20,
} as const;
export const lastRequestKind = 15;

/**
 * In the header `raftd-stream-features` of the answer to the upgrade, parted by commas: what a node takes beyond the
 * kinds 1 and 2 and the consistencies 0 and 1. A node that names nothing would end the stream on anything else.
 */
export const streamFeatures = ["sessions", "levels", "lease", "age"] as const;
export type StreamFeature = (typeof streamFeatures)[number];
export const featuresHeader = "raftd-stream-features";

/** The features that the header's value names; what this release does not know is passed over. */
export function featuresOf(header: unknown): ReadonlySet<StreamFeature> {
	const named = typeof header === "string" ? header.split(/[ ,]+/) : [];
	return new Set(streamFeatures.filter((name) => named.includes(name)));
}

/** What a node reads at most in one frame; a longer one ends the connection. */
export const maxRequestFrameBytes = 2 * 1024 * 1024 + 64;
/** What a client must be ready to read in one frame; a node answers `failed` instead of sending a longer one. */
export const maxResponseFrameBytes = 16 * 1024 * 1024;

export const acks = ["none", "commit", "apply"] as const;
/** The position is the code on the wire: append only. */
export const consistencies = ["linearizable", "stale", "lease"] as const;
/** Beside those: a stale read whose answer is to tell its age. Without it no answer has a byte for that. */
export const staleWithAge = 3;
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
	"session-expired",
	"session-misused",
	"level",
	"unsupported",
	"clock",
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
	/** Its place in a session. */
	readonly session?: SessionPlace | undefined;
	/** The level of the entry format that its bytes are written in, 1 to 255; without it the cluster's. */
	readonly level?: number | undefined;
}

export interface SessionPlace {
	readonly id: number;
	/** From 1 on, one more for each command; a second attempt repeats it. */
	readonly sequence: number;
	/** The client has what became of all commands up to here. Below `sequence`. */
	readonly acknowledged: number;
}

export interface OpenSessionFrame {
	readonly kind: "open-session";
	readonly requestId: number;
	readonly deadlineMs: number;
}

export interface QueryFrame {
	readonly kind: "query";
	readonly requestId: number;
	readonly consistency: Consistency;
	/** Wait until this index is applied; 0 for none. */
	readonly minIndex: number;
	readonly deadlineMs: number;
	readonly query: Uint8Array;
	/** Of a stale read: the answer is to be an aged result. */
	readonly wantsAge?: boolean;
}

/** Whole, but asks for what this release does not have, or does not allow: that request alone is refused. */
export interface RefusedFrame {
	readonly kind: "refused";
	readonly requestId: number;
	readonly reason: "unsupported" | "invalid";
	readonly message: string;
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
	/** Of an aged result. */
	readonly ageMs?: number;
}

/** The session that was asked for. */
interface SessionFrame {
	readonly kind: "session";
	readonly requestId: number;
	readonly id: number;
	/** Without a command for this long it expires. */
	readonly ttlMs: number;
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

export type RequestFrame = CommandFrame | QueryFrame | OpenSessionFrame;
export type ResponseFrame =
	| ResultFrame
	| SessionFrame
	| FailedFrame
	| GoawayFrame;

/** Kind and request id; the shortest frame there is. */
export const bodyHeaderBytes = 5;
/** What a payload begins with, before the bytes that belong to the machine. */
export const payloadHeaderBytes = {
	command: 5,
	query: 11,
	openSession: 4,
	sessionCommand: 24,
	levelledCommand: 6,
	result: 6,
	failed: 6,
	session: 10,
	agedResult: 10,
} as const;
