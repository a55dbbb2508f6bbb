import type { IncomingMessage } from "node:http";
import { RequestError } from "./failures.js";

/** How much of a body that is too long is read and dropped, so that its sender gets to read the refusal. */
const maxDroppedBytes = 16 * 1024 * 1024;

/** The body, or null when the client went away. Throws RequestError "too-large". */
export function readBody(
	request: IncomingMessage,
	maxBytes: number,
): Promise<Buffer | null> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let bytes = 0;
		request.on("data", (chunk: Buffer) => {
			bytes += chunk.length;
			if (bytes <= maxBytes) chunks.push(chunk);
			else chunks.length = 0;
			if (bytes > maxDroppedBytes) {
				request.pause();
				reject(bodyTooLarge(maxBytes));
			}
		});
		request.on("end", () => {
			if (bytes > maxBytes) reject(bodyTooLarge(maxBytes));
			else if (chunks.length === 1) resolve(chunks[0] as Buffer);
			else resolve(Buffer.concat(chunks));
		});
		request.on("error", () => resolve(null));
		request.on("close", () => resolve(null));
	});
}

/** Drops what comes of a body that is refused; resolves at its end, or when no more of it is worth reading. */
export function dropBody(request: IncomingMessage): Promise<void> {
	return new Promise((resolve) => {
		let bytes = 0;
		request.on("data", (chunk: Buffer) => {
			bytes += chunk.length;
			if (bytes <= maxDroppedBytes) return;
			request.pause();
			resolve();
		});
		request.on("end", resolve);
		request.on("error", () => resolve());
		request.on("close", () => resolve());
	});
}

/** The client says itself that the body is too long: it need not even be sent. */
export function announcesTooMuch(
	request: IncomingMessage,
	maxBytes: number,
): boolean {
	return Number(request.headers["content-length"] ?? 0) > maxBytes;
}

function bodyTooLarge(maxBytes: number): RequestError {
	return new RequestError(
		"too-large",
		`the body is longer than ${maxBytes} bytes`,
	);
}
