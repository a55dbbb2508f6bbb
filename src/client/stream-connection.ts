import type { Socket } from "node:net";
import { FrameBatch } from "../wire/client-frame-batch.js";
import { decodeResponseFrame } from "../wire/client-frame-reader.js";
import {
	bodyHeaderBytes,
	type FailedFrame,
	maxResponseFrameBytes,
} from "../wire/client-frames.js";
import { FrameSplitter } from "../wire/frame-splitter.js";
import type { OpenedStream } from "./open-stream.js";
import type { Request } from "./request.js";

export interface StreamHandlers {
	onResult(request: Request, index: number, result: Buffer): void;
	onFailed(request: Request, failure: FailedFrame): void;
	/** What follows belongs on another connection: the server leaves, or it fell silent. What it has may be answered yet. */
	onLeave(connection: StreamConnection): void;
	/** It takes more again. */
	onDrain(connection: StreamConnection): void;
	/** Once, with what was written and never answered. */
	onClosed(
		connection: StreamConnection,
		unanswered: readonly Request[],
		reason: string,
	): void;
}

/** One stream to one node: writes requests, matches answers. Decides nothing. */
export class StreamConnection {
	readonly #socket: Socket;
	readonly #handlers: StreamHandlers;
	readonly #splitter = new FrameSplitter({
		minFrameBytes: bodyHeaderBytes,
		maxFrameBytes: maxResponseFrameBytes,
	});
	readonly #batch = new FrameBatch();
	readonly #pending = new Map<number, Request>();
	#lastId = 0;
	/** Since when an answer is waited for and nothing at all has come; null while none is waited for. */
	#silentSinceMs: number | null = null;
	#retiring = false;
	#closed = false;
	#reason = "the connection was closed";

	constructor({ socket, head }: OpenedStream, handlers: StreamHandlers) {
		this.#socket = socket;
		this.#handlers = handlers;
		socket.on("data", (chunk: Buffer) => this.#receive(chunk));
		socket.on("drain", () => handlers.onDrain(this));
		socket.on("end", () => this.#close("the server closed the connection"));
		socket.on("error", (error) => {
			this.#reason = error.message;
		});
		socket.on("close", () => this.#close(this.#reason));
		// After whoever made this has kept it.
		if (head.length > 0) queueMicrotask(() => this.#receive(head));
	}

	/** False while what was written has not left: what waits here is not lost with the connection. */
	get writable(): boolean {
		return !this.#closed && !this.#socket.writableNeedDrain;
	}

	get pending(): Iterable<Request> {
		return this.#pending.values();
	}

	/** Writes all of them at once; settled ones are left out. */
	write(requests: readonly Request[], nowMs: number): void {
		for (const request of requests) {
			if (request.settled) continue;
			const requestId = this.#nextId();
			this.#pending.set(requestId, request);
			request.attempts++;
			const deadlineMs = Math.max(1, Math.ceil(request.deadlineMs - nowMs));
			const { words, bytes } = request;
			if (words.kind === "command") {
				const { ack } = words;
				this.#batch.command({ requestId, ack, deadlineMs, command: bytes });
			} else {
				const { consistency, minIndex } = words;
				this.#batch.query({
					requestId,
					consistency,
					minIndex,
					deadlineMs,
					query: bytes,
				});
			}
		}
		if (this.#batch.bytes === 0) return;
		this.#silentSinceMs ??= performance.now();
		this.#socket.write(this.#batch.take());
	}

	/**
	 * Forgets requests whose time was over; an answer that still comes is ignored. If nothing at all has come for
	 * `silenceMs`, the machine behind it may be gone, which TCP would notice only after many minutes.
	 */
	forgetSettled(silenceMs: number): void {
		const before = this.#pending.size;
		for (const [id, request] of this.#pending)
			if (request.settled) this.#pending.delete(id);
		const sinceMs = this.#silentSinceMs ?? Number.POSITIVE_INFINITY;
		const silent = performance.now() - sinceMs > silenceMs;
		if (this.#pending.size < before && silent) this.#handlers.onLeave(this);
		this.#endWhenRetired();
	}

	/** Writes nothing more, and ends once everything is answered. */
	retire(): void {
		this.#retiring = true;
		this.#endWhenRetired();
	}

	#endWhenRetired(): void {
		if (this.#retiring && this.#pending.size === 0)
			this.#close("the connection was no longer needed");
	}

	#nextId(): number {
		do this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1;
		while (this.#pending.has(this.#lastId));
		return this.#lastId;
	}

	#receive(chunk: Buffer): void {
		if (this.#closed) return;
		try {
			this.#splitter.push(chunk, (frame) => this.#handle(frame));
		} catch (error) {
			this.#close(`the server broke the protocol: ${(error as Error).message}`);
			return;
		}
		this.#silentSinceMs = this.#pending.size > 0 ? performance.now() : null;
		this.#endWhenRetired();
	}

	#handle(bytes: Buffer): void {
		const frame = decodeResponseFrame(bytes);
		if (frame.kind === "goaway") {
			this.#handlers.onLeave(this);
			return;
		}
		const { requestId } = frame;
		const request = this.#pending.get(requestId);
		if (request === undefined) {
			// Under 0 the server says why it is about to end the connection; others were settled without it.
			if (requestId === 0 && frame.kind === "failed")
				this.#reason = frame.message;
			return;
		}
		this.#pending.delete(requestId);
		if (request.settled) return;
		if (frame.kind === "failed") {
			if (frame.reason === "stopping") this.#handlers.onLeave(this);
			this.#handlers.onFailed(request, frame);
		} else if (frame.kind === "result")
			this.#handlers.onResult(request, frame.index, frame.result as Buffer);
	}

	#close(reason: string): void {
		if (this.#closed) return;
		this.#closed = true;
		const unanswered = [...this.#pending.values()].filter(
			({ settled }) => !settled,
		);
		this.#pending.clear();
		if (this.#retiring && unanswered.length === 0) this.#socket.destroySoon();
		else this.#socket.destroy();
		this.#handlers.onClosed(this, unanswered, reason);
	}
}
