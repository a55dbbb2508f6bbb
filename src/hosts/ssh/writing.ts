import type { Writable } from "node:stream";
import { raced } from "./raced.js";

/** A piece that a slow line takes at once, so that progress is seen. */
const pieceBytes = 64 * 1024;

/**
 * Writes everything, no faster than it is taken, and ends the stream. `onTaken` is told the bytes of each piece that went
 * through. Rejects with the signal's reason.
 */
export async function writeAll(
	stream: Writable,
	content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
	signal: AbortSignal,
	onTaken: (bytes: number) => void = () => {},
): Promise<void> {
	for await (const chunk of content)
		for (let at = 0; at < chunk.length; at += pieceBytes) {
			signal.throwIfAborted();
			const piece = chunk.subarray(at, at + pieceBytes);
			if (!stream.write(piece)) await drained(stream, signal);
			onTaken(piece.length);
		}
	signal.throwIfAborted();
	stream.end();
}

/** A stream that is closed drains no more; whoever watches it aborts the signal then. */
async function drained(stream: Writable, signal: AbortSignal): Promise<void> {
	let drain = () => {};
	const draining = new Promise<void>((resolve) => {
		drain = resolve;
		stream.once("drain", drain);
	});
	await raced(draining, signal).finally(() => stream.off("drain", drain));
}
