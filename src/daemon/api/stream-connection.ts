import type { Duplex } from "node:stream";
import { FrameBatch } from "../../wire/client-frame-batch.js";
import {
	decodeRequestFrame,
	requestIdOfCommand,
} from "../../wire/client-frame-reader.js";
import {
	bodyHeaderBytes,
	type CommandFrame,
	maxRequestFrameBytes,
	type OpenSessionFrame,
	type QueryFrame,
} from "../../wire/client-frames.js";
import { FrameError, FrameSplitter } from "../../wire/frame-splitter.js";
import type { ApiContext, Connection } from "./context.js";
import { rejected, untaken } from "./failures.js";
import { StallWatch } from "./stall-watch.js";
import {
	answerCommand,
	answerFailure,
	answerQuery,
	answerSession,
} from "./stream-answers.js";

/** One client's stream of binary frames: many requests at once, answered in any order. */
export class StreamConnection implements Connection {
	readonly kind = "stream";
	readonly #socket: Duplex;
	readonly #client: string;
	readonly #context: ApiContext;
	readonly #splitter = new FrameSplitter({
		minFrameBytes: bodyHeaderBytes,
		maxFrameBytes: maxRequestFrameBytes,
	});
	readonly #batch = new FrameBatch();
	readonly #stall = new StallWatch();
	/** Frames that arrived while there was no room for them; never more than one chunk's. */
	#waiting: Buffer[] = [];
	#pending = 0;
	#pendingBytes = 0;
	#dirty = false;
	#reading = true;
	/** The client sends no more, or what it sends is no longer wanted: answer what was accepted, then end. */
	#finishing = false;
	#over = false;
	#overSinceMs = 0;
	#told = false;
	#leaveSinceMs = 0;
	#wasIdle = false;
	#partialSinceMs = 0;

	constructor(options: {
		socket: Duplex;
		head: Buffer;
		client: string;
		context: ApiContext;
	}) {
		this.#socket = options.socket;
		this.#client = options.client;
		this.#context = options.context;
		const { socket } = options;
		socket.on("data", (chunk: Buffer) => this.#receive(chunk));
		socket.on("end", () => this.end());
		socket.on("error", () => socket.destroy());
		socket.on("close", () => {
			this.#over = true;
			this.#waiting = [];
		});
		if (options.head.length > 0) this.#receive(options.head);
	}

	leave(): void {
		if (this.#told || this.#over) return;
		this.#told = true;
		this.#batch.goaway();
		this.#markDirty();
	}

	end(): void {
		this.#finishing = true;
		this.#finishWhenDone();
	}

	destroy(): void {
		this.#socket.destroy();
	}

	sweep(nowMs: number): void {
		if (this.#over) {
			this.#sweepOver(nowMs);
			return;
		}
		const { limits, counters } = this.#context;
		if (this.#told) this.#sweepLeaving(nowMs);
		const unsent = this.#socket.writableLength;
		if (this.#stall.stalledMs(unsent, nowMs) > limits.stallTimeoutMs) {
			counters.stalled += 1;
			this.destroy();
			return;
		}
		if (!this.#splitter.partial || !this.#reading) this.#partialSinceMs = nowMs;
		else if (nowMs - this.#partialSinceMs > limits.stallTimeoutMs)
			this.#refuse("a frame did not arrive whole");
	}

	/** Answers in one write, then takes on what had to wait for them. */
	flush(): void {
		this.#dirty = false;
		if (this.#over) return;
		// The event "drain" comes only beyond the socket's own limit, which is not ours.
		if (this.#batch.bytes > 0)
			this.#socket.write(this.#batch.take(), () => this.#work());
		this.#work();
		this.#finishWhenDone();
	}

	#sweepLeaving(nowMs: number): void {
		const { limits } = this.#context;
		if (this.#leaveSinceMs === 0) this.#leaveSinceMs = nowMs;
		const leavingMs = nowMs - this.#leaveSinceMs;
		const isDue = leavingMs >= limits.idleBeforeCloseMs;
		const isIdle = isDue && this.#idle() && !this.#splitter.partial;
		// After a standstill of this process a frame may lie unread: it is read before the next sweep.
		const isDone = isIdle && this.#wasIdle;
		this.#wasIdle = isIdle;
		if (isDone) this.end();
		else if (leavingMs >= limits.leaveTimeoutMs) {
			// It goes on as if nothing had been said: take no more of it, and answer what was taken.
			this.#waiting = [];
			this.end();
		}
	}

	/** Whoever does not close in turn is cut off. */
	#sweepOver(nowMs: number): void {
		if (this.#overSinceMs === 0) this.#overSinceMs = nowMs;
		if (nowMs - this.#overSinceMs > this.#context.limits.closeTimeoutMs)
			this.destroy();
	}

	#receive(chunk: Buffer): void {
		if (this.#finishing) return;
		// The time of a frame's first part counts, not of its last: a drip must not keep it open.
		if (!this.#splitter.partial) this.#partialSinceMs = performance.now();
		try {
			this.#splitter.push(chunk, (frame) => this.#waiting.push(frame));
		} catch (error) {
			if (!(error instanceof FrameError)) throw error;
			this.#work();
			this.#refuse(error.message);
			return;
		}
		this.#work();
	}

	/** Handles what has arrived for as long as there is room; reads on only when all of it is handled. */
	#work(): void {
		if (this.#over || this.#socket.destroyed) return;
		let at = 0;
		for (; at < this.#waiting.length && this.#hasRoom(); at += 1) {
			try {
				this.#handle(this.#waiting[at] as Buffer);
			} catch (error) {
				if (!(error instanceof FrameError)) throw error;
				this.#refuse(error.message);
				return;
			}
		}
		if (at > 0) this.#waiting = this.#waiting.slice(at);
		const reading = this.#waiting.length === 0 && this.#hasRoom();
		if (reading === this.#reading) return;
		this.#reading = reading;
		if (reading) this.#socket.resume();
		else this.#socket.pause();
	}

	#hasRoom(): boolean {
		const { limits } = this.#context;
		return (
			this.#pending < limits.maxPendingRequests &&
			this.#pendingBytes < limits.maxPendingBytes &&
			this.#unsentBytes() < limits.maxUnsentBytes
		);
	}

	#unsentBytes(): number {
		return this.#socket.writableLength + this.#batch.bytes;
	}

	#handle(bytes: Buffer): void {
		if (this.#isSentAway(bytes)) return;
		const frame = decodeRequestFrame(bytes);
		if (frame.kind === "refused") {
			const { requestId, reason, message } = frame;
			answerFailure(this.#batch, requestId, rejected(reason, message));
			this.#markDirty();
			return;
		}
		this.#pending += 1;
		this.#pendingBytes += bytes.length;
		this.#context.counters.inflight += 1;
		if (frame.kind === "command") this.#propose(frame, bytes.length);
		else if (frame.kind === "query") this.#query(frame, bytes.length);
		else this.#openSession(frame, bytes.length);
	}

	/** A command for which there is no room is not even decoded. */
	#isSentAway(bytes: Buffer): boolean {
		const requestId = requestIdOfCommand(bytes);
		if (requestId === null) return false;
		const refusal = this.#context.replica.overload();
		if (refusal === null) return false;
		answerCommand(this.#batch, requestId, refusal);
		this.#markDirty();
		return true;
	}

	#propose(frame: CommandFrame, bytes: number): void {
		const { requestId, ack, command, session, level } = frame;
		const deadlineMs = this.#deadlineMs(frame.deadlineMs);
		const options = { ack, deadlineMs, client: this.#client };
		this.#context.replica.propose(
			command,
			session === undefined && level === undefined
				? options
				: {
						...options,
						...(session === undefined ? {} : { session }),
						...(level === undefined ? {} : { level }),
					},
			(outcome) => {
				this.#settled(bytes);
				answerCommand(this.#batch, requestId, outcome);
			},
		);
	}

	#query(frame: QueryFrame, bytes: number): void {
		const { consistency, minIndex, query } = frame;
		const deadlineMs = this.#deadlineMs(frame.deadlineMs);
		this.#context.replica.query(
			query,
			{ consistency, minIndex, deadlineMs },
			(outcome) => {
				this.#settled(bytes);
				const unsent = this.#unsentBytes();
				if (unsent > this.#context.limits.maxUnsentAnswerBytes)
					answerFailure(this.#batch, frame.requestId, untaken(unsent));
				else answerQuery(this.#batch, frame, outcome);
			},
		);
	}

	#openSession(
		{ requestId, deadlineMs }: OpenSessionFrame,
		bytes: number,
	): void {
		this.#context.replica.openSession(
			{ deadlineMs: this.#deadlineMs(deadlineMs), client: this.#client },
			(outcome) => {
				this.#settled(bytes);
				answerSession(this.#batch, requestId, outcome);
			},
		);
	}

	#settled(bytes: number): void {
		this.#pending -= 1;
		this.#pendingBytes -= bytes;
		this.#context.counters.inflight -= 1;
		this.#markDirty();
	}

	#markDirty(): void {
		if (this.#dirty) return;
		this.#dirty = true;
		this.#context.turnEnd.add(this);
	}

	#deadlineMs(asked: number): number {
		return Math.min(Math.max(asked, 1), this.#context.limits.maxTimeoutMs);
	}

	/** Tells the client why, under request id 0, and ends: what follows a bad frame cannot be believed. */
	#refuse(message: string): void {
		this.#context.counters.protocolErrors += 1;
		this.#waiting = [];
		answerFailure(this.#batch, 0, rejected("invalid", message));
		this.#markDirty();
		this.end();
	}

	#idle(): boolean {
		return (
			this.#pending === 0 &&
			this.#waiting.length === 0 &&
			this.#batch.bytes === 0
		);
	}

	#finishWhenDone(): void {
		if (!this.#finishing || this.#over || !this.#idle()) return;
		this.#over = true;
		this.#socket.end();
		// Read and dropped, so that the end of what the client sends is seen and the socket closes.
		this.#socket.resume();
	}
}
