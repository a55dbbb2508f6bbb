import type { RejectReason } from "../replica.js";
import type { Limits } from "./limits.js";
import type { Request } from "./request.js";

/** Beyond the limit of commands: the operation lock must stay renewable under any load. */
const controlReserve = 64;
/** What a client is told to wait when there is no room: enough for many turns, too short for a person. */
const retryAfterMs = 100;

export interface Rejection {
	readonly kind: "rejected";
	readonly reason: RejectReason;
	readonly message: string;
	readonly retryAfterMs: number;
}

/**
 * Room for commands, by count, bytes and client. What is accepted keeps its latency, because the rest is told at once
 * to come later.
 */
export class Admission {
	readonly #limits: Limits;
	readonly #pending = new Set<Request>();
	readonly #byClient = new Map<string, number>();
	#bytes = 0;

	constructor(limits: Limits) {
		this.#limits = limits;
	}

	get count(): number {
		return this.#pending.size;
	}

	get bytes(): number {
		return this.#bytes;
	}

	/** Every request that is accepted and has not ended. */
	pending(): Iterable<Request> {
		return this.#pending;
	}

	/** Takes the request in, or says why not. */
	admit(request: Request): Rejection | null {
		const { maxPendingCommands, maxPendingBytes, maxPendingPerClient } =
			this.#limits;
		const reserve = request.isControl ? controlReserve : 0;
		if (this.#pending.size >= maxPendingCommands + reserve)
			return overloaded(`${this.#pending.size} commands are under way`);
		const isFirst = this.#pending.size === 0;
		if (
			this.#bytes + request.bytes > maxPendingBytes &&
			!isFirst &&
			reserve === 0
		)
			return overloaded(`${this.#bytes} bytes of commands are under way`);
		const { origin } = request;
		if (origin.kind === "local") {
			const mine = this.#byClient.get(origin.client) ?? 0;
			if (mine >= maxPendingPerClient + reserve)
				return overloaded(`${mine} commands of this connection are under way`);
			this.#byClient.set(origin.client, mine + 1);
		}
		this.#pending.add(request);
		this.#bytes += request.bytes;
		return null;
	}

	release(request: Request): void {
		if (!this.#pending.delete(request)) return;
		this.#bytes -= request.bytes;
		const { origin } = request;
		if (origin.kind !== "local") return;
		const mine = (this.#byClient.get(origin.client) ?? 1) - 1;
		if (mine === 0) this.#byClient.delete(origin.client);
		else this.#byClient.set(origin.client, mine);
	}
}

export function overloaded(why: string): Rejection {
	const message = `the node has no room for another command: ${why}`;
	return { kind: "rejected", reason: "overloaded", message, retryAfterMs };
}

export function rejected(reason: RejectReason, message: string): Rejection {
	return { kind: "rejected", reason, message, retryAfterMs: 0 };
}
