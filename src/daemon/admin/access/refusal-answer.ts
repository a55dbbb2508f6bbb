import type {
	IncomingMessage,
	OutgoingHttpHeaders,
	ServerResponse,
} from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AccessRefusal } from "./access.js";

/** Answers with a refusal in the caller's protocol: gRPC's trailers, or Connect's error, which is JSON. */
export function answerRefusal(
	request: IncomingMessage | Http2ServerRequest,
	response: ServerResponse | Http2ServerResponse,
	{ status, message, retryAfterMs }: AccessRefusal,
): void {
	const { code, grpc } = codes[status];
	const type = request.headers["content-type"] ?? "";
	if (type.startsWith("application/grpc")) {
		response.writeHead(200, { "content-type": type });
		// Overloads of two kinds of answers: only their common shape is called.
		const add = response.addTrailers.bind(response) as (
			trailers: OutgoingHttpHeaders,
		) => void;
		add({
			"grpc-status": `${grpc}`,
			"grpc-message": message.replace(
				/[^\x20-\x24\x26-\x7e]+/g,
				encodeURIComponent,
			),
		});
		response.end();
		return;
	}
	if (status === 401) response.setHeader("www-authenticate", "Bearer");
	if (retryAfterMs !== null)
		response.setHeader("retry-after", Math.ceil(retryAfterMs / 1000));
	response.writeHead(status, {
		"content-type": "application/json; charset=utf-8",
		"cache-control": "no-store",
	});
	response.end(
		request.method === "HEAD" ? "" : `${JSON.stringify({ code, message })}\n`,
	);
}

const codes = {
	401: { code: "unauthenticated", grpc: 16 },
	403: { code: "permission_denied", grpc: 7 },
	429: { code: "resource_exhausted", grpc: 8 },
} as const;
