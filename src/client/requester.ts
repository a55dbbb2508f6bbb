import {
	type FailedFrame,
	maxRequestFrameBytes,
} from "../wire/client-frames.js";
import { CongestionWindow } from "./congestion-window.js";
import type { Transport } from "./connection.js";
import { backoffMs, type Endpoint, EndpointRing } from "./endpoints.js";
import { NotDoneError } from "./failures.js";
import { Lane } from "./lane.js";
import { PlainEndpoints } from "./plain-endpoints.js";
import type { Answer, Request, Words } from "./request.js";
import { SessionKeeper } from "./session-keeper.js";
import {
	afterFailure,
	afterLoss,
	heldBack,
	neverSent,
	unanswered,
	type Verdict,
} from "./verdict.js";

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

interface RequesterOptions extends RequestLimits {
	/** Commands go in a session, in which another attempt is harmless. */
	readonly exactlyOnce: boolean;
	onFallback(endpoint: string, reason: string): void;
}

interface RequestOptions {
	readonly words: Words;
	readonly bytes: Uint8Array;
	readonly timeoutMs: number | undefined;
}

/** It may be tried again after so long. */
interface HeldBack {
	readonly request: Request;
	readonly pauseMs: number;
}

/** A node ends the stream of a client whose frames are longer, and with it the requests of others on that stream. */
const maxRequestBytes = maxRequestFrameBytes - 64;
/** One timer looks after all deadlines. */
const sweepIntervalMs = 50;
/** The node, too, knows the deadline: its word is better than silence, and has this long to arrive. */
const answerGraceMs = 50;
const noBytes = new Uint8Array();

/** Sends requests, and sends again what certainly was not executed, until their time is over. */
export class Requester {
	readonly #limits: RequestLimits;
	readonly #lanes: readonly Lane[];
	readonly #window = new CongestionWindow();
	#heldBack: HeldBack[] = [];
	/** Null without exactlyOnce. */
	readonly #sessions: SessionKeeper | null;
	/** Why the last attempt to open one failed; null once one was opened. */
	#noSession: Error | null = null;
	#lastIndex = 0;
	#turn = 0;
	#pending = 0;
	#pendingBytes = 0;
	#sweeper: NodeJS.Timeout | null = null;
	#closing: (() => void) | null = null;
	#closed = false;

	constructor(endpoints: readonly Endpoint[], limits: RequesterOptions) {
		this.#limits = limits;
		this.#sessions = limits.exactlyOnce ? this.#keeper() : null;
		const plain = new PlainEndpoints(limits.onFallback);
		this.#lanes = Array.from(
			{ length: limits.connections },
			() =>
				new Lane({
					ring: new EndpointRing(endpoints),
					connectTimeoutMs: limits.connectTimeoutMs,
					prefer: limits.prefer,
					plain,
					onAnswer: (request, answer) => this.#answer(request, answer),
					onSession: (request, id, ttlMs) => this.#opened(request, id, ttlMs),
					onFailed: (request, failure) => {
						this.#attemptFailed(request, failure);
						if (failure.reason === "session-expired")
							this.#sessions?.expired(request);
						const failed = { kind: "failed" as const, ...failure };
						this.#follow(request, afterFailure(request, failed));
					},
					onLost: (request, reason) => {
						this.#attemptEnded(request, false);
						this.#follow(request, afterLoss(request, reason));
					},
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
		return new Promise((resolve, reject) => {
			const deadlineMs =
				performance.now() + (timeoutMs ?? this.#limits.timeoutMs);
			const request = this.#begin(
				{ words, bytes, deadlineMs },
				{ resolve, reject },
			);
			const goesInSession = words.kind === "command" && words.ack !== "none";
			if (this.#sessions !== null && goesInSession)
				this.#sessions.take(request);
			else this.#submit(request);
		});
	}

	/** How the requests travel now; null without a connection. */
	get transport(): Transport | null {
		for (const { transport } of this.#lanes)
			if (transport !== null) return transport;
		return null;
	}

	/** The highest index of a command that was answered. */
	get lastIndex(): number {
		return this.#lastIndex;
	}

	#begin(
		{
			words,
			bytes,
			deadlineMs,
		}: Pick<Request, "words" | "bytes" | "deadlineMs">,
		{ resolve, reject }: Pick<Request, "resolve" | "reject">,
	): Request {
		this.#pending++;
		this.#pendingBytes += bytes.length;
		this.#sweeper ??= setInterval(() => this.#sweep(), sweepIntervalMs);
		// Field by field: put together of parts, it was a sixth of the client's time.
		return {
			words,
			bytes,
			deadlineMs,
			place: null,
			isDoubtful: false,
			attempts: 0,
			order: 0,
			settled: false,
			resolve,
			reject,
		};
	}

	#keeper(): SessionKeeper {
		return new SessionKeeper({
			open: (deadlineMs) =>
				new Promise((resolve, reject) => {
					const words = {
						kind: "open-session" as const,
						opened: (id: number, ttlMs: number) => resolve({ id, ttlMs }),
					};
					const about = { words, bytes: noBytes, deadlineMs };
					this.#submit(this.#begin(about, { resolve() {}, reject }));
				}),
			submit: (request) => this.#submit(request),
			fail: (request, error) => this.#fail(request, error),
			repeat: (place, bytes) => {
				const words = { kind: "command" as const, ack: "commit" as const };
				const deadlineMs = performance.now() + this.#limits.timeoutMs;
				// Whatever comes of it, the next command hears of it.
				const request = this.#begin(
					{ words, bytes, deadlineMs },
					{ resolve() {}, reject() {} },
				);
				request.place = place;
				// It was executed: in another session it would be once more.
				request.isDoubtful = true;
				this.#submit(request);
			},
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
		this.#sessions?.close();
		for (const lane of this.#lanes) lane.close();
	}

	#submit(request: Request): void {
		// Its time may have ended in a pause.
		if (request.settled) return;
		if (request.words.kind === "command") {
			const pauseMs = this.#window.holdBackMs(performance.now());
			if (pauseMs !== null) {
				this.#holdBack(request, pauseMs);
				return;
			}
			request.order = this.#window.sent();
		}
		this.#turn = (this.#turn + 1) % this.#lanes.length;
		(this.#lanes[this.#turn] as Lane).submit(request);
	}

	/**
	 * Told in another turn of the event loop: an application that tries again at once must not keep the answers from being
	 * read that make room.
	 */
	#holdBack(request: Request, pauseMs: number): void {
		if (this.#heldBack.length === 0)
			setImmediate(() => {
				const all = this.#heldBack;
				this.#heldBack = [];
				for (const each of all) this.#tellHeldBack(each);
			});
		this.#heldBack.push({ request, pauseMs });
	}

	/** No attempt; but whoever wants one alone wants its answer now. */
	#tellHeldBack({ request, pauseMs }: HeldBack): void {
		const verdict = heldBack(request, pauseMs);
		if (request.attempts + 1 < this.#limits.maxAttempts)
			this.#follow(request, verdict);
		else this.#fail(request, verdict.error);
	}

	#attemptEnded(request: Request, isDone: boolean): void {
		if (request.order === 0) return;
		request.order = 0;
		this.#window.ended(isDone);
	}

	#attemptFailed(
		request: Request,
		failure: Pick<FailedFrame, "reason" | "retryAfterMs">,
	): void {
		const { order } = request;
		if (order === 0 || failure.reason !== "overloaded") {
			this.#attemptEnded(request, false);
			return;
		}
		request.order = 0;
		this.#window.sentAway(order, failure.retryAfterMs, performance.now());
	}

	#follow(request: Request, verdict: Verdict): void {
		const { error, next } = verdict;
		if (request.words.kind === "open-session") this.#noSession = error;
		if (next === "end") {
			this.#fail(request, error);
			return;
		}
		const atLeastMs = next === "retry" ? verdict.atLeastMs : 0;
		const pauseMs = atLeastMs + backoffMs(request.attempts);
		const late = performance.now() + pauseMs >= request.deadlineMs;
		if (late || request.attempts >= this.#limits.maxAttempts)
			this.#fail(request, error);
		else if (next === "new-session") this.#sessions?.take(request);
		else setTimeout(() => this.#submit(request), pauseMs);
	}

	#sweep(): void {
		if (this.#pending === 0) {
			if (this.#sweeper !== null) clearInterval(this.#sweeper);
			this.#sweeper = null;
			return;
		}
		const nowMs = performance.now();
		this.#sweepWaiting(nowMs);
		for (const lane of this.#lanes) {
			lane.releaseSilent();
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

	#sweepWaiting(nowMs: number): void {
		if (this.#sessions === null) return;
		const lane = this.#lanes[0] as Lane;
		let late = 0;
		for (const request of [...this.#sessions.waiting]) {
			if (request.settled || nowMs < request.deadlineMs) continue;
			late++;
			const why = this.#noSession ?? neverSent(request, lane.lastFailure);
			this.#fail(request, why);
		}
		if (late > 0) this.#sessions.forgetSettled();
	}

	#answer(request: Request, answer: Answer): void {
		if (request.settled) return;
		if (request.words.kind === "command")
			this.#lastIndex = Math.max(this.#lastIndex, answer.index);
		this.#settle(request, true);
		request.resolve(answer);
	}

	#opened(request: Request, id: number, ttlMs: number): void {
		const { words } = request;
		if (request.settled || words.kind !== "open-session") return;
		this.#noSession = null;
		this.#settle(request, true);
		words.opened(id, ttlMs);
	}

	#fail(request: Request, error: Error): void {
		if (request.settled) return;
		this.#settle(request, false);
		request.reject(error);
	}

	#settle(request: Request, isDone: boolean): void {
		request.settled = true;
		this.#attemptEnded(request, isDone);
		this.#sessions?.settled(request, isDone);
		this.#pending--;
		this.#pendingBytes -= request.bytes.length;
		if (this.#pending === 0) this.#closing?.();
	}
}
