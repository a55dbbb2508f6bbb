import type { FailedFrame } from "../wire/client-frames.js";
import type { Answer, Request } from "./request.js";

/** What carries requests to one endpoint. Decides nothing. */
export interface Connection {
	readonly transport: Transport;
	/** False while it takes nothing: what waits elsewhere is not lost with it. */
	readonly writable: boolean;
	/** Written and not answered. */
	readonly pending: Iterable<Request>;
	/** Writes those that are not settled, in order; returns those that it has no room for. */
	write(requests: readonly Request[], nowMs: number): readonly Request[];
	/**
	 * Forgets requests whose time was over; an answer that still comes is ignored. If nothing at all has come for
	 * `silenceMs`, the machine behind it may be gone, which TCP would notice only after many minutes.
	 */
	forgetSettled(silenceMs: number): void;
	/** Gives back what may be sent again, if nothing at all has come for `silenceMs`, and is left. */
	releaseSilent(silenceMs: number): readonly Request[];
	/** Writes nothing more, and ends once everything is answered. */
	retire(): void;
}

/** http: one plain request after the other, where something in between lets no stream pass. */
export type Transport = "stream" | "http";

export interface ConnectionHandlers {
	onAnswer(request: Request, answer: Answer): void;
	onSession(request: Request, id: number, ttlMs: number): void;
	onFailed(request: Request, failure: Omit<FailedFrame, "kind">): void;
	/** Written, and its answer will not come. */
	onLost(request: Request, reason: string): void;
	/** Certainly not written, after all. */
	onUnsent(request: Request): void;
	/** What follows belongs on another connection: the server leaves, or it fell silent. What it has may be answered yet. */
	onLeave(connection: Connection): void;
	/** It takes more again. */
	onDrain(connection: Connection): void;
	/** Once; everything that it had was told before. */
	onClosed(connection: Connection): void;
}
