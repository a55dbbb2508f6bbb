import type { Agent, ClientRequest } from "node:http";
import { ShortLivedMap } from "../short-lived-map.js";
import { maxResponseFrameBytes } from "../wire/client-frames.js";
import type { Connection, ConnectionHandlers } from "./connection.js";
import type { Door } from "./door.js";
import type { Endpoint } from "./endpoints.js";
import { sendsAway } from "./failures.js";
import { plainAnswer, plainRequest } from "./plain-requests.js";
import type { Request } from "./request.js";

/** Requests at once, each on a connection of its own. */
const maxAtOnce = 64;
/**
 * An idle connection is not used again after this time: a draining node closes those that were idle for a second, and
 * a command that meets such a close has an unknown fate.
 */
const maxIdleMs = 500;

interface PlainOptions {
	readonly door: Door;
	readonly connectTimeoutMs: number;
	/** After this time it is left, and a stream is tried again. */
	readonly useForMs: number;
}

/** Plain HTTP requests to one endpoint, over connections that are kept alive. Decides nothing. */
export class PlainConnection implements Connection {
	readonly transport = "http";
	readonly #endpoint: Endpoint;
	readonly #options: PlainOptions;
	readonly #handlers: ConnectionHandlers;
	readonly #agent: Agent;
	readonly #pending = new ShortLivedMap<Request, ClientRequest>();
	readonly #renewal: NodeJS.Timeout;
	#retiring = false;
	#closed = false;

	constructor(
		endpoint: Endpoint,
		options: PlainOptions,
		handlers: ConnectionHandlers,
	) {
		this.#endpoint = endpoint;
		this.#options = options;
		this.#handlers = handlers;
		this.#agent = options.door.agent({
			keepAlive: true,
			maxSockets: maxAtOnce,
			scheduling: "lifo",
			timeout: maxIdleMs,
		});
		this.#renewal = setTimeout(() => handlers.onLeave(this), options.useForMs);
		this.#renewal.unref();
	}

	get writable(): boolean {
		return !this.#retiring && this.#pending.size < maxAtOnce;
	}

	get pending(): Iterable<Request> {
		return this.#pending.keys();
	}

	write(requests: readonly Request[], nowMs: number): readonly Request[] {
		let at = 0;
		for (; at < requests.length && this.writable; at++) {
			const request = requests[at] as Request;
			if (!request.settled) this.#send(request, nowMs);
		}
		return requests.slice(at);
	}

	forgetSettled(): void {
		for (const [request, sent] of this.#pending)
			if (request.settled) {
				this.#pending.delete(request);
				sent.destroy();
			}
		this.#closeWhenRetired();
	}

	/** Each request has a connection of its own, whose silence says nothing of the others. */
	releaseSilent(): readonly Request[] {
		return [];
	}

	retire(): void {
		this.#retiring = true;
		clearTimeout(this.#renewal);
		this.#closeWhenRetired();
	}

	#send(request: Request, nowMs: number): void {
		const { host, port } = this.#endpoint;
		const plain = plainRequest(request, request.deadlineMs - nowMs);
		request.attempts++;
		const { door } = this.#options;
		const sent = door.request({
			...door.settings(),
			...{ host, port, agent: this.#agent, method: "POST", path: plain.path },
			headers: { ...plain.headers, "content-length": plain.body.length },
		});
		this.#pending.set(request, sent);
		const isConnected = this.#watchConnect(sent);
		sent.once("error", (error) => {
			if (isConnected()) this.#lost(request, error.message);
			else this.#unsent(request);
		});
		sent.once("response", (response) => {
			const chunks: Buffer[] = [];
			let bytes = 0;
			response.on("data", (chunk: Buffer) => {
				chunks.push(chunk);
				bytes += chunk.length;
				if (bytes > maxResponseFrameBytes)
					response.destroy(new Error("the answer is too long"));
			});
			response.once("error", (error) => this.#lost(request, error.message));
			response.once("close", () => this.#lost(request, "the answer broke off"));
			response.once("end", () => {
				const { statusCode: status = 0, headers } = response;
				this.#answered(request, {
					...{ status, headers, body: Buffer.concat(chunks) },
				});
			});
		});
		sent.end(plain.body);
	}

	/** Ends it when no connection comes about in time. Returns whether one has: without, nothing was sent. */
	#watchConnect(sent: ClientRequest): () => boolean {
		const { connectTimeoutMs, door } = this.#options;
		let isConnected = false;
		const timer = setTimeout(
			() =>
				sent.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
			connectTimeoutMs,
		);
		const connected = () => {
			isConnected = true;
			clearTimeout(timer);
		};
		sent.once("socket", (socket) => {
			socket.setNoDelay(true);
			door.whenOpen(socket, connected);
		});
		sent.once("close", () => clearTimeout(timer));
		return () => isConnected;
	}

	#answered(
		request: Request,
		response: Parameters<typeof plainAnswer>[1],
	): void {
		if (!this.#take(request)) return;
		const said = plainAnswer(request, response);
		switch (said.kind) {
			case "answer":
				this.#handlers.onAnswer(request, said.answer);
				break;
			case "session":
				this.#handlers.onSession(request, said.id, said.ttlMs);
				break;
			case "failed":
				if (sendsAway(said.failure.reason)) this.#handlers.onLeave(this);
				this.#handlers.onFailed(request, { requestId: 0, ...said.failure });
				break;
			case "lost":
				this.#handlers.onLost(request, said.reason);
		}
		this.#next();
	}

	#lost(request: Request, reason: string): void {
		if (!this.#take(request)) return;
		this.#handlers.onLost(request, reason);
		this.#next();
	}

	#unsent(request: Request): void {
		if (!this.#take(request)) return;
		request.attempts--;
		this.#handlers.onUnsent(request);
		this.#handlers.onLeave(this);
		this.#next();
	}

	/** False for one whose fate was told already. */
	#take(request: Request): boolean {
		return this.#pending.delete(request) && !request.settled;
	}

	#next(): void {
		this.#closeWhenRetired();
		if (this.writable) this.#handlers.onDrain(this);
	}

	#closeWhenRetired(): void {
		if (!this.#retiring || this.#closed || this.#pending.size > 0) return;
		this.#closed = true;
		this.#agent.destroy();
		this.#handlers.onClosed(this);
	}
}
