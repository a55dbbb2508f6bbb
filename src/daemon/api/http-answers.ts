import { type IncomingMessage, ServerResponse, STATUS_CODES } from "node:http";
import { type Failure, failureJson, statusOf } from "./failures.js";

/** Sends JSON; does nothing when the client is gone. `last`: the connection ends with it. */
export function sendJson(
	response: ServerResponse,
	status: number,
	{
		body,
		headers = {},
		last,
	}: { body: unknown; headers?: Record<string, string>; last: boolean },
): void {
	sendText(response, status, {
		json: JSON.stringify(body),
		headers,
		last,
	});
}

/** The same, of JSON text. */
export function sendText(
	response: ServerResponse,
	status: number,
	{
		json,
		headers = {},
		last,
	}: { json: string; headers?: Record<string, string>; last: boolean },
): void {
	sendBytes(response, status, {
		bytes: Buffer.from(`${json}\n`),
		headers: { ...headers, "Content-Type": "application/json" },
		last,
	});
}

/** The machine's own bytes, or text that `headers` name. */
export function sendBytes(
	response: ServerResponse,
	status: number,
	{
		bytes,
		headers = {},
		last,
	}: { bytes: Uint8Array; headers?: Record<string, string>; last: boolean },
): void {
	if (response.destroyed) return;
	response.writeHead(status, {
		"Content-Type": "application/octet-stream",
		"Content-Length": bytes.length,
		...headers,
		...(last ? { Connection: "close" } : {}),
	});
	response.end(bytes);
}

/** A whole answer after which the connection ends; `end` is left to the caller. */
export function writeFailure(response: ServerResponse, failure: Failure): void {
	if (response.destroyed) return;
	const body = Buffer.from(
		`${JSON.stringify({ error: failureJson(failure) })}\n`,
	);
	response.writeHead(statusOf(failure), {
		"Content-Type": "application/json",
		"Content-Length": body.length,
		...retryHeaders(failure),
		Connection: "close",
	});
	response.write(body);
}

export function sendFailure(
	response: ServerResponse,
	failure: Failure,
	{ last }: { last: boolean },
): void {
	sendJson(response, statusOf(failure), {
		body: { error: failureJson(failure) },
		headers: retryHeaders(failure),
		last,
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
): string {
	const body = `${JSON.stringify({ error: failureJson(failure) })}\n`;
	const lines = Object.entries({
		"Content-Type": "application/json",
		"Content-Length": `${Buffer.byteLength(body)}`,
		Connection: "close",
		[nodeHeader]: nodeId,
		...retryHeaders(failure),
		...headers,
	}).map(([name, value]) => `${name}: ${value}\r\n`);
	return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`;
}

/** HTTP knows whole seconds only. */
function retryHeaders({ retryAfterMs }: Failure): Record<string, string> {
	return retryAfterMs > 0
		? { "Retry-After": `${Math.ceil(retryAfterMs / 1000)}` }
		: {};
}
