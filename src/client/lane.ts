import type { Connection, ConnectionHandlers } from "./connection.js";
import { backoffMs, type EndpointRing } from "./endpoints.js";
import { type Opened, openConnection } from "./open-connection.js";
import { UnsupportedEndpointError } from "./open-stream.js";
import type { PlainEndpoints } from "./plain-endpoints.js";
import type { Request } from "./request.js";
import { errorOf } from "./verdict.js";

interface LaneOptions
	extends Pick<
		ConnectionHandlers,
		"onAnswer" | "onSession" | "onFailed" | "onLost"
	> {
	readonly ring: EndpointRing;
	readonly plain: PlainEndpoints;
	readonly connectTimeoutMs: number;
	readonly prefer: "leader" | "any";
	/** Certainly not sent. */
	onRefused(request: Request, error: Error): void;
}

/**
 * One connection at a time, and what waits for it. A request stays in the queue until it is written: whatever befalls
 * a connection, what is in the queue was certainly not executed and goes on the next one.
 */
export class Lane {
	readonly #options: LaneOptions;
	readonly #handlers: ConnectionHandlers;
	#queue: Request[] = [];
	#connection: Connection | null = null;
	/** Left by their server, or about to be; they still owe answers. */
	readonly #retiring = new Set<Connection>();
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
		const { onAnswer, onSession, onFailed, onLost } = options;
		this.#handlers = {
			onAnswer: (request, answer) => {
				this.#failures = 0;
				onAnswer(request, answer);
			},
			...{ onSession, onFailed, onLost },
			onUnsent: (request) => {
				this.#queue.unshift(request);
				this.#scheduleFlush();
			},
			onLeave: (connection) => this.#retire(connection),
			onDrain: () => this.#scheduleFlush(),
			onClosed: (connection) => this.#detach(connection),
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

	/** How the current connection carries requests; null without one. */
	get transport(): Connection["transport"] | null {
		return this.#connection?.transport ?? null;
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

	/** What may be sent again leaves a connection that fell silent. */
	releaseSilent(): void {
		const { connectTimeoutMs, onLost } = this.#options;
		for (const connection of this.#connections())
			for (const request of connection.releaseSilent(connectTimeoutMs))
				onLost(request, `nothing came for ${connectTimeoutMs} ms`);
	}

	close(): void {
		this.#closed = true;
		this.#wake?.();
		for (const connection of this.#connections()) connection.retire();
	}

	#connections(): Connection[] {
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
		const left = this.#connection.write(requests, performance.now());
		if (left.length > 0) this.#queue = [...left, ...this.#queue];
	}

	#retire(connection: Connection): void {
		if (this.#connection !== connection) return;
		this.#connection = null;
		this.#failures++;
		this.#options.ring.advance();
		this.#retiring.add(connection);
		connection.retire();
		// Not only when the next request comes: it would wait for the connection.
		void this.#open();
	}

	#detach(connection: Connection): void {
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
				opened.discard();
				return false;
			}
			this.#connection = opened.begin(this.#handlers);
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
	async #openBest(): Promise<Opened> {
		const { ring, prefer } = this.#options;
		const opened = await openConnection(ring.current(), this.#options);
		const leader = prefer === "leader" ? ring.other(opened.leader) : null;
		if (leader === null) return opened;
		try {
			const closer = await openConnection(leader, this.#options);
			opened.discard();
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
				errorOf(request, "unsupported", cause.message, cause),
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
