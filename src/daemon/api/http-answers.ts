import { type IncomingMessage, ServerResponse, STATUS_CODES } from "node:http";
import { type Failure, failureJson, statusOf } from "./failures.js";
import type { HttpOutcome } from "./http-requests.js";

/** All that is said to one request. */
export interface WholeAnswer {
	readonly status: number;
	/** Without Content-Length. */
	readonly headers: Readonly<Record<string, string>>;
	/** Text is UTF-8. */
	readonly body: string | Uint8Array;
}

export function wholeAnswer(outcome: HttpOutcome): WholeAnswer {
	if ("failure" in outcome) return failureAnswer(outcome.failure);
	const { status, headers = {} } = outcome;
	if ("bytes" in outcome)
		return {
			status,
			headers: { "Content-Type": "application/octet-stream", ...headers },
			body: outcome.bytes,
		};
	const json = "json" in outcome ? outcome.json : JSON.stringify(outcome.body);
	return {
		status,
		headers: { ...headers, "Content-Type": "application/json" },
		body: `${json}\n`,
	};
}

export function failureAnswer(failure: Failure): WholeAnswer {
	return {
		status: statusOf(failure),
		headers: {
			...retryHeaders(failure),
			"Content-Type": "application/json",
		},
		body: `${JSON.stringify({ error: failureJson(failure) })}\n`,
	};
}

export function bytesOf({ body }: WholeAnswer): number {
	return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}

/** Does nothing when the client is gone. `last`: the connection ends with it. */
export function send(
	response: ServerResponse,
	answer: WholeAnswer,
	{ last }: { readonly last: boolean },
): void {
	if (response.destroyed) return;
	writeHead(response, answer, { last });
	response.end(answer.body);
}

/** A whole answer after which the connection ends; `end` is left to the caller. */
export function writeFailure(response: ServerResponse, failure: Failure): void {
	if (response.destroyed) return;
	const answer = failureAnswer(failure);
	writeHead(response, answer, { last: true });
	response.write(answer.body);
}

function writeHead(
	response: ServerResponse,
	answer: WholeAnswer,
	{ last }: { readonly last: boolean },
): void {
	response.writeHead(answer.status, {
		...answer.headers,
		"Content-Length": bytesOf(answer),
		...(last ? { Connection: "close" } : {}),
	});
}

/** Names the node that answers; behind a balancer a client cannot know otherwise. */
export const nodeHeader = "raftd-node";

/** The leader's client address, in the answer to a stream's upgrade. */
export const leaderHeader = "raftd-leader";

/**
 * The class for every answer of Node's server; in its constructor, so that the refusals Node writes by itself (400
 * without Host, 417) name the node too.
 */
export function answersOf(nodeId: string): typeof ServerResponse {
	return class<
		Request extends IncomingMessage,
	> extends ServerResponse<Request> {
		constructor(request: Request) {
			super(request);
			this.setHeader(nodeHeader, nodeId);
		}
	};
}

/** A failure as a whole HTTP answer, for a socket that no longer belongs to Node's server. */
export function rawFailure(
	nodeId: string,
	failure: Failure,
	{
		status = statusOf(failure),
		headers = {},
	}: { status?: number; headers?: Record<string, string> } = {},
): string | Buffer {
	const answer = failureAnswer(failure);
	return rawAnswer({
		...{ status, body: answer.body },
		headers: {
			Connection: "close",
			[nodeHeader]: nodeId,
			...answer.headers,
			...headers,
		},
	});
}

/** As HTTP/1.1 has it on the wire. `lines` are further headers, each with its end of line. */
export function rawAnswer(answer: WholeAnswer, lines = ""): string | Buffer {
	const { status, headers, body } = answer;
	let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}`;
	for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
	head += `Content-Length: ${bytesOf(answer)}\r\n\r\n`;
	return typeof body === "string"
		? head + body
		: Buffer.concat([Buffer.from(head, "latin1"), body]);
}

/** HTTP knows whole seconds only. */
function retryHeaders({ retryAfterMs }: Failure): Record<string, string> {
	return retryAfterMs > 0
		? { "Retry-After": `${Math.ceil(retryAfterMs / 1000)}` }
		: {};
}
