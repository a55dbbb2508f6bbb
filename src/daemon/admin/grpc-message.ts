import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";

/**
 * Lets the sentences of refusals arrive as they were written. Connect encodes more of `grpc-message` than gRPC asks for,
 * commas and colons, too, and grpc-js takes back only what gRPC asks for.
 */
export function legibleMessages(
	response: ServerResponse | Http2ServerResponse,
): void {
	const add = response.addTrailers.bind(response) as AddTrailers;
	const legibly: AddTrailers = (trailers) => {
		const message = trailers[header];
		add(
			typeof message === "string"
				? { ...trailers, [header]: encoded(decodeURIComponent(message)) }
				: trailers,
		);
	};
	response.addTrailers = legibly as typeof response.addTrailers;
}

type AddTrailers = (trailers: OutgoingHttpHeaders) => void;

const header = "grpc-message";

/** As gRPC over HTTP/2 has it: all but printable ASCII, and the percent sign itself. */
function encoded(message: string): string {
	return message.replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}
