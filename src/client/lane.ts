import type { FailedFrame } from "../wire/client-frames.js";
import { backoffMs, type EndpointRing } from "./endpoints.js";
import { NotDoneError } from "./failures.js";
import {
	type OpenedStream,
	openStream,
	UnsupportedEndpointError,
} from "./open-stream.js";
import type { Request } from "./request.js";
import { StreamConnection, type StreamHandlers } from "./stream-connection.js";

interface LaneOptions {
	readonly ring: EndpointRing;
	readonly connectTimeoutMs: number;
	readonly prefer: "leader" | "any";
	onResult(request: Request, index: number, result: Buffer): void;
	onFailed(request: Request, failure: FailedFrame): void;
	/** Written to a connection that is gone, and not answered. */
	onLost(request: Request, reason: string): void;
	/** Certainly not sent. */
	onRefused(request: Request, error: NotDoneError): void;
}

/**
 * One connection at a time, and what waits for it. A request stays in the queue until it is written: whatever befalls
 * a connection, what is in the queue was certainly not executed and goes on the next one.
 */
export class Lane {
	readonly #options: LaneOptions;
	readonly #handlers: StreamHandlers;
	#queue: Request[] = [];
	#connection: StreamConnection | null = null;
	/** Left by their server, or about to be; they still owe answers. */
	readonly #retiring = new Set<StreamConnection>();
	#opening = false;
	#closed = false;
	#flushing = false;
	/** Attempts in a row that led to no answer. */
	#failures = 0;
	#unsupported = 0;
	#lastFailure: Error | null = null;
	#wake: (() => void) | null = null;

	constructor(options: LaneOptions) {
		this.#options = options;
		this.#handlers = {
			onResult: (request, index, result) => {
				this.#failures = 0;
				options.onResult(request, index, result);
			},
			onFailed: options.onFailed,
			onLeave: (connection) => this.#retire(connection),
			onDrain: () => this.#scheduleFlush(),
			onClosed: (connection, unanswered, reason) => {
				this.#detach(connection);
				for (const request of unanswered) options.onLost(request, reason);
			},
		};
	}

	/** Takes a request; everything of one turn of the event loop leaves in one write. */
	submit(request: Request): void {
		this.#queue.push(request);
		this.#scheduleFlush();
	}

	/** Why there is no connection, if there is none. */
	get lastFailure(): Error | null {
		return this.#connection === null ? this.#lastFailure : null;
	}

	*queued(): Iterable<Request> {
		yield* this.#queue;
	}

	*written(): Iterable<Request> {
		for (const connection of this.#connections()) yield* connection.pending;
	}

	forgetSettled(): void {
		this.#queue = this.#queue.filter(({ settled }) => !settled);
		const { connectTimeoutMs } = this.#options;
		for (const connection of this.#connections())
			connection.forgetSettled(connectTimeoutMs);
	}

	close(): void {
		this.#closed = true;
		this.#wake?.();
		for (const connection of this.#connections()) connection.retire();
	}

	#connections(): StreamConnection[] {
		const current = this.#connection === null ? [] : [this.#connection];
		return [...current, ...this.#retiring];
	}

	#scheduleFlush(): void {
		if (this.#flushing) return;
		this.#flushing = true;
		setImmediate(() => {
			this.#flushing = false;
			this.#flush();
		});
	}

	#flush(): void {
		if (this.#queue.length === 0 || this.#closed) return;
		if (this.#connection === null) {
			void this.#open();
			return;
		}
		if (!this.#connection.writable) return;
		const requests = this.#queue;
		this.#queue = [];
		this.#connection.write(requests, performance.now());
	}

	#retire(connection: StreamConnection): void {
		if (this.#connection !== connection) return;
		this.#connection = null;
		this.#failures++;
		this.#options.ring.advance();
		this.#retiring.add(connection);
		connection.retire();
		// Not only when the next request comes: it would wait for the connection.
		void this.#open();
	}

	#detach(connection: StreamConnection): void {
		this.#retiring.delete(connection);
		if (this.#connection !== connection) return;
		this.#connection = null;
		this.#failures++;
		this.#options.ring.advance();
		this.#scheduleFlush();
	}

	/** Round the endpoints, with pauses, until one takes it or nothing waits any more. */
	async #open(): Promise<void> {
		if (this.#opening) return;
		this.#opening = true;
		let first = true;
		while (!this.#closed && (first || this.#queue.length > 0)) {
			first = false;
			// The first failure costs no pause: another endpoint, or a balancer, is there for it.
			if (this.#failures > 1) await this.#pause(backoffMs(this.#failures - 1));
			if (await this.#tryOnce()) break;
		}
		this.#opening = false;
		this.#scheduleFlush();
	}

	async #tryOnce(): Promise<boolean> {
		const { ring } = this.#options;
		try {
			const opened = await this.#openBest();
			if (this.#closed) {
				opened.socket.destroy();
				return false;
			}
			this.#connection = new StreamConnection(opened, this.#handlers);
			this.#lastFailure = null;
			this.#unsupported = 0;
			return true;
		} catch (error) {
			this.#failures++;
			this.#lastFailure = error as Error;
			ring.advance();
			this.#unsupported =
				error instanceof UnsupportedEndpointError ? this.#unsupported + 1 : 0;
			if (this.#unsupported >= ring.size) this.#refuseAll(error as Error);
			return false;
		}
	}

	/**
	 * Any node takes any request, and a follower hands it on: where the leader is one of the endpoints, going there saves
	 * that hop. Only while connecting: a leader that changes later makes nothing wrong.
	 */
	async #openBest(): Promise<OpenedStream> {
		const { ring, connectTimeoutMs, prefer } = this.#options;
		const opened = await openStream(ring.current(), connectTimeoutMs);
		const leader = prefer === "leader" ? ring.other(opened.leader) : null;
		if (leader === null) return opened;
		try {
			const closer = await openStream(leader, connectTimeoutMs);
			opened.socket.destroy();
			ring.moveTo(leader);
			return closer;
		} catch {
			// It may be leaving, or be out of reach from here: what is open serves as well.
			return opened;
		}
	}

	/** No endpoint speaks the protocol: time will not mend that. */
	#refuseAll(cause: Error): void {
		const refused = this.#queue;
		this.#queue = [];
		for (const request of refused)
			this.#options.onRefused(
				request,
				new NotDoneError("unsupported", cause.message, {
					attempts: request.attempts,
					cause,
				}),
			);
	}

	#pause(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
