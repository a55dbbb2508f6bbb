import { ShortLivedMap } from "../../short-lived-map.js";
import {
	type ForwardedCommand,
	type ForwardOutcome,
	forwardHeaderBytes,
	type OutcomesFrame,
} from "../../wire/forward-frames.js";
import type { Peers } from "../peers/peers.js";
import type { CommandCounters } from "./engine-stats.js";
import type { Leadership } from "./leadership.js";
import type { Request } from "./request.js";

/** A frame ends when it holds so much; a longer command has one to itself. */
const frameBytes = 1024 * 1024;
const maxDeadlineMs = 2 ** 32 - 1;
/** After the leader has sent commands back, it is asked again so much later, unless another leads by then. */
const retryPauseMs = 20;

interface ForwardedOptions {
	readonly peers: Pick<Peers, "forward" | "isConnected">;
	readonly nowMs: () => number;
	readonly counters: Pick<CommandCounters, "forwardedOut">;
}

/** Requests that were sent to the leader and are not answered. */
export class Forwarded {
	readonly #options: ForwardedOptions;
	readonly #open = new ShortLivedMap<
		number,
		{ request: Request; to: string }
	>();
	#pausedUntilMs = 0;
	#pausedFor: string | null = null;
	/**
	 * Not from zero: an answer that is meant for this node's life before a restart must not fit a request of this one.
	 */
	#lastId = Math.floor(Math.random() * 2 ** 40);

	constructor(options: ForwardedOptions) {
		this.#options = options;
	}

	/** Whether there is a leader to send to, and it may be asked now. */
	canSend({ leader, isLeader }: Leadership): boolean {
		const { peers, nowMs } = this.#options;
		if (leader === null || isLeader) return false;
		if (leader === this.#pausedFor && nowMs() < this.#pausedUntilMs)
			return false;
		return peers.isConnected(leader);
	}

	send(to: string, requests: readonly Request[]): void {
		const { peers, counters } = this.#options;
		const nowMs = this.#options.nowMs();
		counters.forwardedOut += requests.length;
		let commands: ForwardedCommand[] = [];
		let bytes = 0;
		for (const request of requests) {
			const more = forwardHeaderBytes + request.command.length;
			if (bytes + more > frameBytes && commands.length > 0) {
				peers.forward(to, commands);
				commands = [];
				bytes = 0;
			}
			bytes += more;
			const requestId = ++this.#lastId;
			request.place = "forwarded";
			this.#open.set(requestId, { request, to });
			const leftMs = Math.ceil(request.deadlineMs - nowMs);
			const { kind, level, ack, command } = request;
			const deadlineMs = Math.min(Math.max(leftMs, 0), maxDeadlineMs);
			commands.push({ requestId, kind, level, ack, deadlineMs, command });
		}
		if (commands.length > 0) peers.forward(to, commands);
	}

	/** What `from` says of commands that were sent to it; of others, it has nothing to say. */
	settle(
		from: string,
		{ answers }: OutcomesFrame,
		ended: (request: Request, outcome: ForwardOutcome) => void,
	): void {
		for (const { requestId, outcome } of answers) {
			const open = this.#open.get(requestId);
			if (open?.to !== from) continue;
			this.#open.delete(requestId);
			if (outcome.kind === "retry") {
				this.#pausedFor = from;
				this.#pausedUntilMs = this.#options.nowMs() + retryPauseMs;
			}
			if (open.request.place === "forwarded") ended(open.request, outcome);
		}
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
