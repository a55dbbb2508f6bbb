import type { Socket } from "node:net";
import { ShortLivedMap } from "../short-lived-map.js";
import { FrameBatch } from "../wire/client-frame-batch.js";
import { decodeResponseFrame } from "../wire/client-frame-reader.js";
import {
	bodyHeaderBytes,
	maxResponseFrameBytes,
	type StreamFeature,
} from "../wire/client-frames.js";
import { FrameError, FrameSplitter } from "../wire/frame-splitter.js";
import type { Connection, ConnectionHandlers } from "./connection.js";
import { sendsAway } from "./failures.js";
import type { OpenedStream } from "./open-stream.js";
import type { Request } from "./request.js";

/** One stream to one node: writes requests, matches answers. Decides nothing. */
export class StreamConnection implements Connection {
	readonly transport = "stream";
	readonly #socket: Socket;
	readonly #handlers: ConnectionHandlers;
	readonly #features: ReadonlySet<StreamFeature>;
	readonly #splitter = new FrameSplitter({
		minFrameBytes: bodyHeaderBytes,
		maxFrameBytes: maxResponseFrameBytes,
	});
	readonly #batch = new FrameBatch();
	readonly #pending = new ShortLivedMap<number, Request>();
	#lastId = 0;
	/** Since when an answer is waited for and nothing at all has come; null while none is waited for. */
	#silentSinceMs: number | null = null;
	#retiring = false;
	#closed = false;
	#reason = "the connection was closed";

	constructor(
		{ socket, head, features }: OpenedStream,
		handlers: ConnectionHandlers,
	) {
		this.#features = features;
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
		if (socket.destroyed)
			queueMicrotask(() => this.#close("the connection broke unused"));
	}

	/** False while what was written has not left: what waits here is not lost with the connection. */
	get writable(): boolean {
		return !this.#closed && !this.#socket.writableNeedDrain;
	}

	get pending(): Iterable<Request> {
		return this.#pending.values();
	}

	/** All of them in one write. */
	write(requests: readonly Request[], nowMs: number): readonly Request[] {
		for (const request of requests) {
			if (request.settled) continue;
			request.attempts++;
			const missing = this.#missingFor(request);
			if (missing === null) this.#add(request, nowMs);
			else queueMicrotask(() => this.#unsupported(request, missing));
		}
		if (this.#batch.bytes === 0) return [];
		this.#silentSinceMs ??= performance.now();
		this.#socket.write(this.#batch.take());
		return [];
	}

	#add(request: Request, nowMs: number): void {
		const requestId = this.#nextId();
		this.#pending.set(requestId, request);
		const deadlineMs = Math.max(1, Math.ceil(request.deadlineMs - nowMs));
		const { words, bytes, place } = request;
		switch (words.kind) {
			case "command": {
				const { ack, level } = words;
				const session = place === null ? undefined : placeOf(place);
				const command = bytes;
				this.#batch.command({
					requestId,
					ack,
					deadlineMs,
					command,
					level,
					session,
				});
				break;
			}
			case "query": {
				const { consistency, minIndex } = words;
				const isLease = consistency === "lease";
				this.#batch.query({
					requestId,
					// A node that knows no lease asks a quorum, which is slower and never less.
					consistency:
						isLease && !this.#features.has("lease")
							? "linearizable"
							: consistency,
					wantsAge: this.#features.has("age"),
					minIndex,
					deadlineMs,
					query: bytes,
				});
				break;
			}
			case "open-session":
				this.#batch.openSession({ requestId, deadlineMs });
		}
	}

	/** What the node would end the stream for. */
	#missingFor({ words, place }: Request): StreamFeature | null {
		const needs: StreamFeature | null =
			place !== null || words.kind === "open-session"
				? "sessions"
				: words.kind === "command" && words.level !== undefined
					? "levels"
					: null;
		return needs === null || this.#features.has(needs) ? null : needs;
	}

	#unsupported(request: Request, missing: StreamFeature): void {
		const message = `the node is of a release that has no ${missing}`;
		this.#handlers.onFailed(request, {
			...{ requestId: 0, reason: "unsupported", outcome: "rejected" },
			...{ retryAfterMs: 0, message },
		});
	}

	forgetSettled(silenceMs: number): void {
		const before = this.#pending.size;
		for (const [id, request] of this.#pending)
			if (request.settled) this.#pending.delete(id);
		if (this.#pending.size < before && this.#isSilent(silenceMs))
			this.#handlers.onLeave(this);
		this.#endWhenRetired();
	}

	releaseSilent(silenceMs: number): readonly Request[] {
		if (!this.#isSilent(silenceMs)) return [];
		const released: Request[] = [];
		for (const [id, request] of this.#pending) {
			if (request.place === null) continue;
			this.#pending.delete(id);
			if (!request.settled) released.push(request);
		}
		if (released.length > 0) this.#handlers.onLeave(this);
		return released;
	}

	#isSilent(silenceMs: number): boolean {
		const sinceMs = this.#silentSinceMs ?? Number.POSITIVE_INFINITY;
		return performance.now() - sinceMs > silenceMs;
	}

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
		// A request that is taken out here must be settled by what follows.
		const isSession = request.words.kind === "open-session";
		if (frame.kind !== "failed" && isSession !== (frame.kind === "session"))
			throw new FrameError(
				`a ${request.words.kind} answered by a ${frame.kind}`,
			);
		this.#pending.delete(requestId);
		if (request.settled) return;
		switch (frame.kind) {
			case "failed":
				if (sendsAway(frame.reason)) this.#handlers.onLeave(this);
				this.#handlers.onFailed(request, frame);
				break;
			case "session":
				this.#handlers.onSession(request, frame.id, frame.ttlMs);
				break;
			case "result": {
				const { index, result, ageMs } = frame;
				this.#handlers.onAnswer(request, {
					index,
					result: result as Buffer,
					ageMs: ageMs ?? ageWithoutWord(request),
				});
			}
		}
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
		this.#handlers.onClosed(this);
		for (const request of unanswered) this.#handlers.onLost(request, reason);
	}
}

function placeOf({ session, sequence }: NonNullable<Request["place"]>) {
	const { id, acknowledged } = session;
	return { id, sequence, acknowledged };
}

/** A node that tells no age may be asked for a stale answer all the same. */
function ageWithoutWord({ words }: Request): number | null {
	return words.kind === "query" && words.consistency === "stale" ? null : 0;
}
