import { ShortLivedMap } from "../../short-lived-map.js";
import type { RejectReason } from "../replica.js";
import type { Limits } from "./limits.js";
import type { Request } from "./request.js";
import { TokenBuckets } from "./token-buckets.js";
import { WaitBound } from "./wait-bound.js";

/** Beyond the limit of commands: the operation lock must stay renewable under any load. */
const controlReserve = 64;
/** What a client is told to wait when there is no room: enough for many turns, too short for a person. */
const defaultRetryAfterMs = 100;

export interface Rejection {
	readonly kind: "rejected";
	readonly reason: RejectReason;
	readonly message: string;
	readonly retryAfterMs: number;
}

interface AdmissionOptions {
	readonly nowMs?: () => number;
	/** In [0, 1). */
	readonly random?: () => number;
}

/**
 * Room for commands, by count, bytes, time and client. What is accepted keeps its latency, because the rest is told at
 * once to come later.
 */
export class Admission {
	readonly #limits: Limits;
	readonly #nowMs: () => number;
	readonly #random: () => number;
	/** Since when. */
	readonly #pending = new ShortLivedMap<Request, number>();
	readonly #byClient = new Map<string, number>();
	readonly #buckets: TokenBuckets;
	readonly #wait: WaitBound;
	#bytes = 0;
	/** Commands wait for a leader: however long that takes, it is no overload. */
	isPaused = false;

	constructor(
		limits: Limits,
		{
			nowMs = () => performance.now(),
			random = Math.random,
		}: AdmissionOptions = {},
	) {
		this.#limits = limits;
		this.#nowMs = nowMs;
		this.#random = random;
		this.#wait = new WaitBound(limits);
		this.#buckets = new TokenBuckets(
			limits.maxCommandsPerSecondPerClient,
			limits.maxCommandBurstPerClient,
		);
	}

	get count(): number {
		return this.#pending.size;
	}

	get bytes(): number {
		return this.#bytes;
	}

	/** Every request that is accepted and has not ended. */
	pending(): Iterable<Request> {
		return this.#pending.keys();
	}

	/**
	 * Takes the request in, or says why not. `refuses` is asked last: who is sent away for want of room must cost as
	 * little as possible, or sending away takes the time of doing.
	 */
	admit(
		request: Request,
		refuses: (request: Request) => Rejection | null = () => null,
	): Rejection | null {
		const nowMs = this.#nowMs();
		const refusal =
			this.#noRoom(request) ??
			(request.isControl ? null : this.#tooSoon(request, nowMs)) ??
			refuses(request);
		if (refusal !== null) return refusal;
		const { origin } = request;
		if (origin.kind === "local")
			this.#byClient.set(origin.client, this.#mine(origin.client) + 1);
		this.#pending.set(request, nowMs);
		this.#bytes += request.bytes;
		return null;
	}

	/** What every command is told now that comes from a client; null where there may be room for one. */
	overload(): Rejection | null {
		return this.#queueTooLong(this.#nowMs());
	}

	#noRoom(request: Request): Rejection | null {
		const { maxPendingCommands, maxPendingBytes, maxPendingPerClient } =
			this.#limits;
		const { origin } = request;
		const reserve = request.isControl ? controlReserve : 0;
		const count = this.#pending.size;
		if (count >= maxPendingCommands + reserve)
			return this.#full(`${count} commands are under way`);
		if (
			this.#bytes + request.bytes > maxPendingBytes &&
			count > 0 &&
			reserve === 0
		)
			return this.#full(`${this.#bytes} bytes of commands are under way`);
		if (origin.kind !== "local") return null;
		const mine = this.#mine(origin.client);
		return mine >= maxPendingPerClient + reserve
			? this.#full(`${mine} commands of this connection are under way`)
			: null;
	}

	#tooSoon({ origin }: Request, nowMs: number): Rejection | null {
		const tooLong = this.#queueTooLong(nowMs);
		if (tooLong !== null) return tooLong;
		if (origin.kind !== "local") return null;
		const waitMs = this.#buckets.take(origin.client, nowMs);
		if (waitMs === 0) return null;
		const { maxCommandsPerSecondPerClient: perSecond } = this.#limits;
		return overloaded(
			`a connection may send ${perSecond} commands a second`,
			waitMs,
		);
	}

	#queueTooLong(nowMs: number): Rejection | null {
		if (this.isPaused || this.#pending.size < this.#wait.maxPending(nowMs))
			return null;
		return overloaded(
			`more commands wait than it does in ${this.#limits.maxQueueWaitMs} ms`,
			this.#wait.refused(nowMs, this.#random()),
		);
	}

	#full(why: string): Rejection {
		return overloaded(
			why,
			Math.ceil(defaultRetryAfterMs * (0.5 + this.#random())),
		);
	}

	#mine(client: string): number {
		return this.#byClient.get(client) ?? 0;
	}

	/** `isDone`: it was committed or executed, and how long that took says how busy the node is. */
	release(request: Request, isDone = false): void {
		const sinceMs = this.#pending.get(request);
		if (sinceMs === undefined) return;
		this.#pending.delete(request);
		if (isDone) {
			const nowMs = this.#nowMs();
			this.#wait.done(nowMs - sinceMs, nowMs);
		}
		this.#bytes -= request.bytes;
		const { origin } = request;
		if (origin.kind !== "local") return;
		const mine = this.#mine(origin.client) - 1;
		if (mine <= 0) this.#byClient.delete(origin.client);
		else this.#byClient.set(origin.client, mine);
	}
}

export function overloaded(
	why: string,
	retryAfterMs = defaultRetryAfterMs,
): Rejection {
	const message = `the node has no room for another command: ${why}`;
	return { kind: "rejected", reason: "overloaded", message, retryAfterMs };
}

export function rejected(reason: RejectReason, message: string): Rejection {
	return { kind: "rejected", reason, message, retryAfterMs: 0 };
}
