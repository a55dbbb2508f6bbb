import type { ForwardedCommand } from "../../wire/forward-frames.js";
import { forwardHeaderBytes } from "../../wire/forward-frames.js";
import type { Peers } from "../peers/peers.js";
import type { Request } from "./request.js";

/** A frame ends when it holds so much; a longer command has one to itself. */
const frameBytes = 1024 * 1024;
const maxDeadlineMs = 2 ** 32 - 1;

/** Requests that were sent to the leader and are not answered. */
export class Forwarded {
	readonly #peers: Pick<Peers, "forward">;
	readonly #open = new Map<number, { request: Request; to: string }>();
	/**
	 * Not from zero: an answer that is meant for this node's life before a restart must not fit a request of this one.
	 */
	#lastId = Math.floor(Math.random() * 2 ** 40);

	constructor(peers: Pick<Peers, "forward">) {
		this.#peers = peers;
	}

	get count(): number {
		return this.#open.size;
	}

	send(to: string, requests: readonly Request[], nowMs: number): void {
		let commands: ForwardedCommand[] = [];
		let bytes = 0;
		for (const request of requests) {
			const more = forwardHeaderBytes + request.command.length;
			if (bytes + more > frameBytes && commands.length > 0) {
				this.#peers.forward(to, commands);
				commands = [];
				bytes = 0;
			}
			bytes += more;
			const requestId = ++this.#lastId;
			request.place = "forwarded";
			this.#open.set(requestId, { request, to });
			const leftMs = Math.ceil(request.deadlineMs - nowMs);
			const { kind, ack, command } = request;
			const deadlineMs = Math.min(Math.max(leftMs, 0), maxDeadlineMs);
			commands.push({ requestId, kind, ack, deadlineMs, command });
		}
		if (commands.length > 0) this.#peers.forward(to, commands);
	}

	/** The request that `from` answers; null when it has ended, or was never asked of that node. */
	take(requestId: number, from: string): Request | null {
		const open = this.#open.get(requestId);
		if (open?.to !== from) return null;
		this.#open.delete(requestId);
		return open.request.place === "forwarded" ? open.request : null;
	}

	/** All that wait for an answer of `peer`, which can no longer be trusted to come. */
	takeAllOf(peer: string): Request[] {
		const lost: Request[] = [];
		for (const [requestId, { request, to }] of this.#open) {
			if (to !== peer) continue;
			this.#open.delete(requestId);
			if (request.place === "forwarded") lost.push(request);
		}
		return lost;
	}

	/** Forgets requests that have ended otherwise. */
	prune(): void {
		for (const [requestId, { request }] of this.#open) {
			if (request.place !== "forwarded") this.#open.delete(requestId);
		}
	}
}
