import { type FailedFrame, outcomes, reasons } from "../wire/client-frames.js";
import type { Answer, Request } from "./request.js";

/** The longest that a node lets a request wait. */
const maxTimeoutMs = 60_000;
/** In every answer of a node; what has it not comes from something in between. */
const nodeHeader = "raftd-node";

export interface PlainRequest {
	readonly path: string;
	readonly headers: Record<string, string>;
	readonly body: Uint8Array;
}

/** A request as one HTTP POST, with the machine's bytes for a body (docs/client-api.md). */
export function plainRequest(request: Request, leftMs: number): PlainRequest {
	const { words, bytes } = request;
	const timeoutMs = Math.min(Math.max(1, Math.ceil(leftMs)), maxTimeoutMs);
	const options = new URLSearchParams({ "timeout-ms": `${timeoutMs}` });
	const headers: Record<string, string> = {};
	if (words.kind === "open-session")
		return { path: `/v1/sessions?${options}`, headers, body: bytes };
	headers["content-type"] = "application/octet-stream";
	options.set("format", "bytes");
	if (words.kind === "query") {
		options.set("consistency", words.consistency);
		options.set("min-index", `${words.minIndex}`);
		return { path: `/v1/query?${options}`, headers, body: bytes };
	}
	options.set("ack", words.ack);
	if (words.level !== undefined) headers["raftd-level"] = `${words.level}`;
	if (request.place !== null) {
		const { session, sequence } = request.place;
		headers["raftd-session"] = `${session.id}`;
		headers["raftd-sequence"] = `${sequence}`;
		headers["raftd-acknowledged"] = `${session.acknowledged}`;
	}
	return { path: `/v1/command?${options}`, headers, body: bytes };
}

export type PlainAnswer =
	| { readonly kind: "answer"; readonly answer: Answer }
	| {
			readonly kind: "session";
			readonly id: number;
			readonly ttlMs: number;
	  }
	| {
			readonly kind: "failed";
			readonly failure: Omit<FailedFrame, "kind" | "requestId">;
	  }
	/** It says nothing of the request's fate. */
	| { readonly kind: "lost"; readonly reason: string };

export interface PlainResponse {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: Buffer;
}

/** What an HTTP answer says of a request. Whatever cannot be understood leaves its fate open. */
export function plainAnswer(
	{ words }: Pick<Request, "words">,
	response: PlainResponse,
): PlainAnswer {
	const { status, headers } = response;
	if (headers[nodeHeader] === undefined) return answerInBetween(status);
	if (status >= 300) return failureIn(response);
	if (words.kind === "open-session") return sessionIn(response);
	const isAccepted =
		words.kind === "command" && words.ack === "none" && status === 202;
	const index = isAccepted ? 0 : numberIn(headers["raftd-index"]);
	if (index === null)
		return lost(`HTTP ${status} without the index of its answer`);
	return {
		kind: "answer",
		answer: { index, result: response.body, ageMs: ageIn(words, headers) },
	};
}

function ageIn(
	words: Request["words"],
	headers: PlainResponse["headers"],
): number | null {
	const isStale = words.kind === "query" && words.consistency === "stale";
	return isStale ? numberIn(headers["raftd-age-ms"]) : 0;
}

/** A refusal of a proxy's own was not passed on; what failed behind it may have been executed. */
function answerInBetween(status: number): PlainAnswer {
	if (status < 300 || status >= 500)
		return lost(
			`something between the client and raftd answers HTTP ${status}`,
		);
	const reason =
		status === 413
			? "too-large"
			: status === 429
				? "overloaded"
				: status === 408
					? "timeout"
					: "unsupported";
	const message = `something between the client and raftd refuses it with HTTP ${status}`;
	return {
		kind: "failed",
		failure: { reason, outcome: "rejected", retryAfterMs: 0, message },
	};
}

function failureIn({ status, body }: PlainResponse): PlainAnswer {
	const error = jsonIn(body)?.error;
	const outcome = outcomes.find((one) => one === error?.outcome);
	if (outcome === undefined) return lost(`HTTP ${status} without an outcome`);
	const { code, message, retryAfterMs } = error as Record<string, unknown>;
	return {
		kind: "failed",
		failure: {
			outcome,
			reason: reasons.find((one) => one === code) ?? "unknown",
			retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : 0,
			message: String(message),
		},
	};
}

function sessionIn({ status, body }: PlainResponse): PlainAnswer {
	const { session, ttlMs } = jsonIn(body) ?? {};
	return Number.isSafeInteger(session) && typeof ttlMs === "number"
		? { kind: "session", id: session as number, ttlMs }
		: lost(`HTTP ${status} without a session`);
}

// biome-ignore lint/suspicious/noExplicitAny: whatever JSON came
function jsonIn(body: Buffer): any {
	try {
		return JSON.parse(body.toString());
	} catch {
		return null;
	}
}

function numberIn(header: string | string[] | undefined): number | null {
	return typeof header === "string" && /^\d{1,15}$/.test(header)
		? Number(header)
		: null;
}

function lost(reason: string): PlainAnswer {
	return { kind: "lost", reason };
}
