import {
	type FailedFrame,
	maxRequestFrameBytes,
} from "../wire/client-frames.js";
import { backoffMs, type Endpoint, EndpointRing } from "./endpoints.js";
import { NotDoneError, OutcomeUnknownError } from "./failures.js";
import { Lane } from "./lane.js";
import type { Answer, Request } from "./request.js";

export interface RequestLimits {
	readonly timeoutMs: number;
	readonly connectTimeoutMs: number;
	/** leader: the node that leads, where it is one of the endpoints. any: spread over them, as reads may be. */
	readonly prefer: "leader" | "any";
	/** Streams to spread requests over. */
	readonly connections: number;
	/** How often one request is sent at most. */
	readonly maxAttempts: number;
	/** Unanswered requests, and their bytes, at most; what is beyond is refused at once. */
	readonly maxPending: number;
	readonly maxPendingBytes: number;
}

interface RequestOptions {
	readonly words: Request["words"];
	readonly bytes: Uint8Array;
	readonly timeoutMs: number | undefined;
}

/** A node ends the stream of a client whose frames are longer, and with it the requests of others on that stream. */
const maxRequestBytes = maxRequestFrameBytes - 64;
/** One timer looks after all deadlines. */
const sweepIntervalMs = 50;
/** The node, too, knows the deadline: its word is better than silence, and has this long to arrive. */
const answerGraceMs = 50;

/** Sends requests, and sends again what certainly was not executed, until their time is over. */
export class Requester {
	readonly #limits: RequestLimits;
	readonly #lanes: readonly Lane[];
	#turn = 0;
	#pending = 0;
	#pendingBytes = 0;
	#sweeper: NodeJS.Timeout | null = null;
	#closing: (() => void) | null = null;
	#closed = false;

	constructor(endpoints: readonly Endpoint[], limits: RequestLimits) {
		this.#limits = limits;
		this.#lanes = Array.from(
			{ length: limits.connections },
			() =>
				new Lane({
					ring: new EndpointRing(endpoints),
					connectTimeoutMs: limits.connectTimeoutMs,
					prefer: limits.prefer,
					onResult: (request, index, result) =>
						this.#answer(request, { index, result }),
					onFailed: (request, failure) => this.#failed(request, failure),
					onLost: (request, reason) => this.#lost(request, reason),
					onRefused: (request, error) => this.#fail(request, error),
				}),
		);
	}

	/** `bytes` must not change until the promise is settled. Rejects with NotDoneError or OutcomeUnknownError. */
	request({ words, bytes, timeoutMs }: RequestOptions): Promise<Answer> {
		const { maxPending, maxPendingBytes } = this.#limits;
		if (this.#closed)
			return Promise.reject(new NotDoneError("closed", "the client is closed"));
		if (bytes.length > maxRequestBytes) {
			return Promise.reject(
				new NotDoneError(
					"too-large",
					`a request of ${bytes.length} bytes; at most ${maxRequestBytes} fit one`,
				),
			);
		}
		if (
			this.#pending >= maxPending ||
			this.#pendingBytes + bytes.length > maxPendingBytes
		) {
			return Promise.reject(
				new NotDoneError(
					"too-many",
					`${this.#pending} requests of ${this.#pendingBytes} bytes wait for answers`,
				),
			);
		}
		this.#pending++;
		this.#pendingBytes += bytes.length;
		this.#sweeper ??= setInterval(() => this.#sweep(), sweepIntervalMs);
		return new Promise((resolve, reject) => {
			this.#submit({
				words,
				bytes,
				deadlineMs: performance.now() + (timeoutMs ?? this.#limits.timeoutMs),
				attempts: 0,
				settled: false,
				resolve,
				reject,
			});
		});
	}

	/** Takes nothing more; resolves when everything is answered, or its time is over. */
	async close(): Promise<void> {
		this.#closed = true;
		if (this.#pending > 0) {
			await new Promise<void>((resolve) => {
				const earlier = this.#closing;
				this.#closing = () => {
					earlier?.();
					resolve();
				};
			});
		}
		if (this.#sweeper !== null) clearInterval(this.#sweeper);
		for (const lane of this.#lanes) lane.close();
	}

	#submit(request: Request): void {
		this.#turn = (this.#turn + 1) % this.#lanes.length;
		(this.#lanes[this.#turn] as Lane).submit(request);
	}

	#failed(request: Request, failure: FailedFrame): void {
		const { reason, outcome, message, retryAfterMs } = failure;
		if (outcome === "unknown" && request.words.kind === "command") {
			this.#fail(request, new OutcomeUnknownError(reason, message));
			return;
		}
		const error = new NotDoneError(reason, message, {
			attempts: request.attempts,
		});
		if (!isWorthAnother(failure)) this.#fail(request, error);
		else
			this.#retry(request, error, reason === "overloaded" ? retryAfterMs : 0);
	}

	#lost(request: Request, reason: string): void {
		if (request.words.kind === "command") {
			this.#fail(
				request,
				new OutcomeUnknownError(
					"connection-lost",
					`the connection was lost before the answer: ${reason}`,
				),
			);
			return;
		}
		// A query changes nothing.
		const error = new NotDoneError("unreachable", reason, {
			attempts: request.attempts,
		});
		this.#retry(request, error, 0);
	}

	#retry(request: Request, error: NotDoneError, atLeastMs: number): void {
		const pauseMs = atLeastMs + backoffMs(request.attempts);
		const late = performance.now() + pauseMs >= request.deadlineMs;
		if (late || request.attempts >= this.#limits.maxAttempts)
			this.#fail(request, error);
		else setTimeout(() => this.#submit(request), pauseMs);
	}

	#sweep(): void {
		if (this.#pending === 0) {
			if (this.#sweeper !== null) clearInterval(this.#sweeper);
			this.#sweeper = null;
			return;
		}
		const nowMs = performance.now();
		for (const lane of this.#lanes) {
			let late = 0;
			for (const request of lane.queued()) {
				if (request.settled || nowMs < request.deadlineMs) continue;
				late++;
				this.#fail(request, neverSent(request, lane.lastFailure));
			}
			for (const request of lane.written()) {
				if (request.settled || nowMs < request.deadlineMs + answerGraceMs)
					continue;
				late++;
				this.#fail(request, unanswered(request));
			}
			if (late > 0) lane.forgetSettled();
		}
	}

	#answer(request: Request, answer: Answer): void {
		this.#settle(request);
		request.resolve(answer);
	}

	#fail(request: Request, error: Error): void {
		if (request.settled) return;
		this.#settle(request);
		request.reject(error);
	}

	#settle(request: Request): void {
		request.settled = true;
		this.#pending--;
		this.#pendingBytes -= request.bytes.length;
		if (this.#pending === 0) this.#closing?.();
	}
}

/** Only what the node certainly did not do comes here; some of it would fail the same way again. */
function isWorthAnother({ reason, outcome }: FailedFrame): boolean {
	if (outcome === "unknown") return reason !== "too-large";
	return (
		reason === "overloaded" ||
		reason === "no-leader" ||
		reason === "stopping" ||
		reason === "lost"
	);
}

function neverSent({ attempts }: Request, failure: Error | null): NotDoneError {
	return failure === null
		? new NotDoneError("timeout", "its time was over before it could be sent", {
				attempts,
			})
		: new NotDoneError("unreachable", `no connection: ${failure.message}`, {
				attempts,
				cause: failure,
			});
}

function unanswered({ words, attempts }: Request): Error {
	const message = "no answer came in time";
	return words.kind === "command"
		? new OutcomeUnknownError("timeout", message)
		: new NotDoneError("timeout", message, { attempts });
}
