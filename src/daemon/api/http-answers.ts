import { type ServerResponse, STATUS_CODES } from "node:http";
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
	if (response.destroyed) return;
	const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
	response.writeHead(status, {
		"Content-Type": "application/json",
		"Content-Length": bytes.length,
		...headers,
		...(last ? { Connection: "close" } : {}),
	});
	response.end(bytes);
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

/** A failure as a whole HTTP answer, for a socket that no longer belongs to Node's server. */
export function rawFailure(
	failure: Failure,
	status = statusOf(failure),
	headers: Record<string, string> = {},
): string {
	const body = `${JSON.stringify({ error: failureJson(failure) })}\n`;
	const lines = Object.entries({
		"Content-Type": "application/json",
		"Content-Length": `${Buffer.byteLength(body)}`,
		Connection: "close",
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
