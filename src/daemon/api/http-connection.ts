import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiContext, Connection } from "./context.js";
import { StallWatch } from "./stall-watch.js";

/** One client's keep-alive connection; others read it and answer, this only knows when it is idle. */
export class HttpConnection implements Connection {
	readonly kind = "http";
	/** Whose budget its commands count against. */
	readonly client: string;
	readonly #socket: Duplex;
	readonly #context: ApiContext;
	readonly #stall = new StallWatch();
	/** Until Node's server has it, and its limits. */
	#isOurs = true;
	#requests = 0;
	#pending = 0;
	#unsentBytes = 0;
	#ending = false;
	#isOver = false;
	#closed = false;
	#idleSinceMs = performance.now();
	#wasIdle = false;
	#wasUsed = false;

	constructor(options: {
		socket: Duplex;
		client: string;
		context: ApiContext;
	}) {
		this.client = options.client;
		this.#socket = options.socket;
		this.#context = options.context;
		// Node closes the answer that is being sent, and never those that wait behind it.
		options.socket.once("close", () => {
			this.#closed = true;
			this.#context.counters.inflight -= this.#pending;
			this.#pending = 0;
		});
	}

	/** Requests that are not answered. */
	get pending(): number {
		return this.#pending;
	}

	/** Of answers that there are and that have not left; answers to pipelined requests wait for one another. */
	get unsentBytes(): number {
		return this.#unsentBytes;
	}

	/** Nothing that comes now would be answered, so it must not be done (RFC 9112, 9.6). */
	get isOver(): boolean {
		return this.#isOver || !this.#socket.writable;
	}

	/** Returns the request's number. */
	begun(): number {
		if (!this.#closed) {
			this.#pending += 1;
			this.#wasUsed = true;
			this.#context.counters.inflight += 1;
		}
		return ++this.#requests;
	}

	/**
	 * Whether the connection ends with the answer to that request, which is about to be sent. Only with the newest one's:
	 * answers leave in order, and Node's server drops those behind one that says so.
	 */
	endsWith(request: number): boolean {
		const isWished = this.#context.closing() || this.#ending;
		const ends = isWished && request === this.#requests;
		this.#isOver ||= ends;
		return ends;
	}

	answered(): void {
		if (this.#closed) return;
		this.#pending -= 1;
		this.#context.counters.inflight -= 1;
		this.#idleSinceMs = performance.now();
	}

	/** Node's server goes on with it, and ends it when it is idle for too long. */
	leaveToServer(): void {
		this.#isOurs = false;
	}

	/** `response` is to have a body of so many bytes. */
	keep(response: ServerResponse, bytes: number): void {
		this.#unsentBytes += bytes;
		response.once("close", () => {
			this.#unsentBytes -= bytes;
		});
	}

	/** The next answer says so; see `sweep` for one that is idle. */
	leave(): void {}

	sweep(nowMs: number): void {
		const { limits, closing, counters } = this.#context;
		// Not what waits for an earlier answer: that is this node's doing.
		const unsent = this.#socket.writableLength;
		if (this.#stall.stalledMs(unsent, nowMs) > limits.stallTimeoutMs) {
			counters.stalled += 1;
			this.destroy();
			return;
		}
		// The newest was answered before that was wished, and earlier ones after it.
		if (this.#ending) this.end();
		const idleMs = nowMs - this.#idleSinceMs;
		// Just used, its client is likely to use it again: closing it now could meet a request on its way.
		const isUnwanted = closing() && idleMs >= limits.idleBeforeCloseMs;
		const isForgotten = this.#isOurs && idleMs > this.#maxIdleMs();
		const isIdle = this.#pending === 0 && (isUnwanted || isForgotten);
		// After a standstill of this process a request may lie unread: it is read before the next sweep.
		if (isIdle && this.#wasIdle) this.destroy();
		this.#wasIdle = isIdle;
	}

	#maxIdleMs(): number {
		const { keepAliveTimeoutMs, requestTimeoutMs } = this.#context.limits;
		return this.#wasUsed ? keepAliveTimeoutMs : requestTimeoutMs;
	}

	end(): void {
		this.#ending = true;
		if (this.#pending === 0) this.#socket.end();
	}

	destroy(): void {
		this.#socket.destroy();
	}
}
