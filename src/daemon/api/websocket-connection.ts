import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { ApiContext, Connection } from "./context.js";
import { textFrame } from "./event-frames.js";
import { StallWatch } from "./stall-watch.js";
import { Subscriber } from "./subscriber.js";
import { runMessage } from "./websocket-requests.js";

/** Why the server ends a WebSocket. */
const CloseCode = {
	unsupported: 1003,
	/** A drain: connect again, the balancer knows where. */
	restart: 1012,
	/** The client did not take what it was sent; it may resume from where it was. */
	tooSlow: 1013,
	/** The events asked for are no longer kept; the reason is the oldest index that is. */
	eventsGone: 4410,
} as const;

/** One client's WebSocket: events from an index on, and requests beside them. */
export class WebSocketConnection implements Connection {
	readonly kind = "websocket";
	readonly #ws: WebSocket;
	/**
	 * Frames are written past the library, which would frame each event anew for each subscriber. That is sound
	 * because without compression it, too, writes every frame whole and at once.
	 */
	readonly #socket: Duplex;
	readonly #client: string;
	readonly #context: ApiContext;
	readonly #subscriber: Subscriber;
	readonly #stall = new StallWatch();
	#answers: Buffer[] = [];
	#answerBytes = 0;
	#pending = 0;
	#pendingBytes = 0;
	#dirty = false;
	#reading = true;
	#leaving = false;
	#closedSinceMs = 0;
	#leaveSinceMs = 0;
	#pingedAtMs = 0;
	#progressAtMs = 0;
	#answeredPing = true;

	constructor(options: {
		ws: WebSocket;
		socket: Duplex;
		client: string;
		/** The first index to be told of; 0 for from now on. */
		from: number;
		context: ApiContext;
	}) {
		const { ws, socket, from, context } = options;
		this.#ws = ws;
		this.#socket = socket;
		this.#client = options.client;
		this.#context = context;
		this.#listen();
		const { replica, limits } = context;
		const applied = replica.status().applied;
		this.#subscriber = new Subscriber({
			replica,
			frames: context.eventFrames,
			from: from === 0 ? applied + 1 : from,
			maxUnsentBytes: limits.maxUnsentBytes,
			unsentBytes: () => socket.writableLength,
			write: (frames) => this.#write(frames),
			dirty: () => this.#markDirty(),
			gone: (oldest) => {
				context.counters.eventsGone += 1;
				this.#close(CloseCode.eventsGone, `${oldest}`);
			},
		});
		// At once, so that whoever asked for "now" knows from where to resume after a loss.
		if (from === 0)
			this.#write(textFrame(`{"type":"progress","index":${applied}}`));
		this.#subscriber.resume();
	}

	leave(): void {
		this.#leaving = true;
		this.#closeWhenAnswered();
	}

	end(): void {
		this.leave();
	}

	destroy(): void {
		this.#ws.terminate();
	}

	sweep(nowMs: number): void {
		const { limits, counters } = this.#context;
		if (!this.#isOpen()) {
			this.#sweepClosed(nowMs);
			return;
		}
		if (this.#leaving) {
			if (this.#leaveSinceMs === 0) this.#leaveSinceMs = nowMs;
			if (nowMs - this.#leaveSinceMs > limits.leaveTimeoutMs)
				this.#close(CloseCode.restart, drainReason);
		}
		const unsent = this.#socket.writableLength;
		if (this.#stall.stalledMs(unsent, nowMs) > limits.stallTimeoutMs) {
			counters.stalled += 1;
			this.#close(CloseCode.tooSlow, "too slow; resume");
			return;
		}
		this.#subscriber.resume();
		this.#sweepProgress(nowMs);
		this.#sweepPing(nowMs);
	}

	/** Events and answers of this turn, in one write each. */
	flush(): void {
		this.#dirty = false;
		if (this.#isOpen()) {
			this.#subscriber.flush();
			if (this.#answers.length > 0) {
				const answers = Buffer.concat(this.#answers);
				this.#answers = [];
				this.#answerBytes = 0;
				this.#write(answers);
			}
		}
		this.#readOn();
		this.#closeWhenAnswered();
	}

	#listen(): void {
		const ws = this.#ws;
		ws.on("message", (data: Buffer, binary: boolean) => {
			if (binary) this.#close(CloseCode.unsupported, "text messages only");
			else this.#receive(data);
		});
		ws.on("pong", () => {
			this.#answeredPing = true;
		});
		// The library has closed it already, with the code that fits; there is nothing else to do than count.
		ws.on("error", () => {
			this.#context.counters.protocolErrors += 1;
		});
		ws.on("close", () => this.#subscriber.close());
	}

	#receive(data: Buffer): void {
		const { counters } = this.#context;
		this.#pending += 1;
		this.#pendingBytes += data.length;
		counters.inflight += 1;
		const message = {
			data,
			client: this.#client,
			unsentBytes: () => this.#socket.writableLength + this.#answerBytes,
		};
		runMessage(this.#context, message, (text) => {
			this.#pending -= 1;
			this.#pendingBytes -= data.length;
			counters.inflight -= 1;
			const frame = textFrame(text);
			this.#answers.push(frame);
			this.#answerBytes += frame.length;
			this.#markDirty();
		});
		this.#readOn();
	}

	/** Reads while there is room for what would follow. */
	#readOn(): void {
		const { limits } = this.#context;
		const room =
			this.#pending + this.#answers.length < limits.maxPendingRequests &&
			this.#pendingBytes < limits.maxPendingBytes &&
			this.#socket.writableLength < limits.maxUnsentBytes;
		if (room === this.#reading || !this.#isOpen()) return;
		this.#reading = room;
		if (room) this.#ws.resume();
		else this.#ws.pause();
	}

	#sweepProgress(nowMs: number): void {
		const { progressIntervalMs } = this.#context.limits;
		if (nowMs - this.#progressAtMs < progressIntervalMs) return;
		this.#progressAtMs = nowMs;
		this.#subscriber.tellProgress();
	}

	#sweepPing(nowMs: number): void {
		const { limits, counters } = this.#context;
		if (this.#pingedAtMs === 0) this.#pingedAtMs = nowMs;
		if (nowMs - this.#pingedAtMs < limits.pingIntervalMs) return;
		if (!this.#answeredPing) {
			counters.unresponsive += 1;
			this.destroy();
			return;
		}
		this.#pingedAtMs = nowMs;
		// A paused connection cannot hear the answer: that is our doing, not the client's.
		this.#answeredPing = !this.#reading;
		this.#ws.ping();
	}

	/** A client that does not answer the close is cut off. */
	#sweepClosed(nowMs: number): void {
		if (this.#closedSinceMs === 0) this.#closedSinceMs = nowMs;
		if (nowMs - this.#closedSinceMs > this.#context.limits.closeTimeoutMs)
			this.destroy();
	}

	#closeWhenAnswered(): void {
		if (this.#leaving && this.#pending === 0 && !this.#dirty)
			this.#close(CloseCode.restart, drainReason);
	}

	#close(code: number, reason: string): void {
		if (!this.#isOpen()) return;
		this.#subscriber.flush();
		this.#subscriber.close();
		// It may be paused, and would not hear the client's answer.
		if (!this.#reading) this.#ws.resume();
		this.#ws.close(code, reason);
	}

	#write(frames: Buffer): void {
		if (!this.#isOpen()) return;
		// The event "drain" comes only beyond the socket's own limit, which is not ours.
		this.#socket.write(frames, () => {
			this.#subscriber.resume();
			this.#readOn();
		});
	}

	#markDirty(): void {
		if (this.#dirty) return;
		this.#dirty = true;
		this.#context.turnEnd.add(this);
	}

	#isOpen(): boolean {
		return this.#ws.readyState === this.#ws.OPEN;
	}
}

const drainReason = "draining; reconnect";
