import type { Replica } from "../replica.js";
import type { EventFrames } from "./event-frames.js";
import type { TurnEnd } from "./turn-end.js";
import type { Words } from "./words.js";

/** What every connection of the client port works with. */
export interface ApiContext {
	readonly nodeId: string;
	readonly replica: Replica;
	readonly words: Words;
	readonly limits: ApiLimits;
	readonly counters: ApiCounters;
	readonly turnEnd: TurnEnd;
	readonly eventFrames: EventFrames;
	/** The level that commands given in JSON are written in: the cluster's, or this release's where that is lower. */
	writeLevel(): number;
	/** True while a drain moves connections away. */
	closing(): boolean;
}

/** Every bound of the client port, by name. */
export interface ApiLimits {
	readonly maxConnections: number;
	readonly maxBodyBytes: number;
	/** Headers and body of one HTTP request must arrive within this time. */
	readonly requestTimeoutMs: number;
	readonly keepAliveTimeoutMs: number;
	/** Unanswered requests of one connection; HTTP refuses what is beyond, the others stop reading. */
	readonly maxPendingRequests: number;
	/** Bytes of a connection's unanswered requests; beyond, it is not read from. */
	readonly maxPendingBytes: number;
	/** Bytes that wait for a connection to take them; beyond, it is given no more work and no more events. */
	readonly maxUnsentBytes: number;
	/** Beyond these bytes untaken, further answers to queries are replaced by a refusal: asking again is safe. */
	readonly maxUnsentAnswerBytes: number;
	/** A connection that takes nothing of what waits for it, or stops within a frame, for longer is closed. */
	readonly stallTimeoutMs: number;
	readonly defaultTimeoutMs: number;
	readonly maxTimeoutMs: number;
	readonly pingIntervalMs: number;
	/** How often a quiet subscriber is told where it could resume. */
	readonly progressIntervalMs: number;
	/** Idle for this long, an HTTP connection may be closed by a drain; a told stream has it to move. */
	readonly idleBeforeCloseMs: number;
	/** A client that was told to leave and does not is cut off after this time. */
	readonly leaveTimeoutMs: number;
	/** How long `close` waits for connections to end by themselves. */
	readonly closeTimeoutMs: number;
}

export const defaultLimits: ApiLimits = {
	maxConnections: 20_000,
	maxBodyBytes: 2 * 1024 * 1024,
	requestTimeoutMs: 30_000,
	keepAliveTimeoutMs: 75_000,
	maxPendingRequests: 1024,
	maxPendingBytes: 8 * 1024 * 1024,
	maxUnsentBytes: 1024 * 1024,
	maxUnsentAnswerBytes: 16 * 1024 * 1024,
	stallTimeoutMs: 20_000,
	defaultTimeoutMs: 5000,
	maxTimeoutMs: 60_000,
	pingIntervalMs: 15_000,
	progressIntervalMs: 1000,
	idleBeforeCloseMs: 1000,
	leaveTimeoutMs: 10_000,
	closeTimeoutMs: 2000,
};

/** What went wrong on the client port since the start; for the metrics. */
export class ApiCounters {
	/** Accepted and not yet answered, now. */
	inflight = 0;
	/** Connections ended because they broke a protocol. */
	protocolErrors = 0;
	/** Connections ended because they did not take what was sent to them. */
	stalled = 0;
	/** WebSockets ended because they answered no ping. */
	unresponsive = 0;
	/** Subscribers turned away because the events they asked for are no longer kept. */
	eventsGone = 0;
}

/** One client's connection, of whatever protocol. */
export interface Connection {
	readonly kind: "http" | "websocket" | "stream";
	/** A drain asks the client to go elsewhere; what it has sent is still answered. */
	leave(): void;
	/** Called often: whatever depends on time happens in here. `nowMs` is monotonic. */
	sweep(nowMs: number): void;
	/** Ends as soon as what was accepted is answered. */
	end(): void;
	/** Ends now. */
	destroy(): void;
}
