import type { WebSocket } from "ws";
import { reasonOf } from "../errors.js";
import { materialOf } from "./door.js";
import { backoffMs, type Endpoint, EndpointRing } from "./endpoints.js";
import { type IndexedEvent, parseEventMessage } from "./event-messages.js";
import { EventsGoneError, NotDoneError } from "./failures.js";

export interface SubscribeOptions {
	/** The first raft index to be told of; 0, the default, for from now on. */
	readonly from?: number;
	/** In order of index, each exactly once. `event` is the machine's, in its JSON. */
	onEvent(index: number, event: unknown): void;
	/** Everything up to `index` has been told. */
	onProgress?(index: number): void;
	/** It goes on over another connection; nothing was missed. */
	onMove?(reason: string): void;
	/** The end: null after `close`, else why it cannot go on. Nothing is called after it. */
	onEnd(error: EventsGoneError | NotDoneError | null): void;
	/** Without a connection for this long, it ends. Default 5 minutes. */
	readonly giveUpAfterMs?: number;
}

export interface Subscription {
	/** Resolves with the index it begins at. From then on no event is missed, whatever happens to connections. */
	readonly ready: Promise<number>;
	/** The index to resume from: the first that has not been told. */
	readonly next: number;
	/** How often it has changed its connection. */
	readonly moves: number;
	/** The node that serves it now; null without a connection, and when what answers does not say. */
	readonly node: string | null;
	close(): void;
}

/** The server pings every 15 s; nothing for this long means that nobody is there. */
const silenceLimitMs = 45_000;
const closeLimitMs = 1_000;
const defaultGiveUpAfterMs = 300_000;
const messageLimitBytes = 64 * 1024 * 1024;

/** 4410: the events asked for are no longer kept, the reason begins with the oldest index that is. */
const eventsGoneCode = 4410;

interface EventSubscriptionOptions extends SubscribeOptions {
	readonly endpoints: readonly Endpoint[];
	readonly connectTimeoutMs: number;
}

/** Follows the events of the cluster over one WebSocket after the other. */
export class EventSubscription implements Subscription {
	readonly ready: Promise<number>;
	readonly #options: EventSubscriptionOptions;
	readonly #ring: EndpointRing;
	#begin: (index: number) => void = () => {};
	#neverBegan: (error: Error) => void = () => {};
	/** 0 until a server has said where now is. */
	#next: number;
	#moves = 0;
	#node: string | null = null;
	#socket: WebSocket | null = null;
	#started = false;
	#ended = false;
	#failures = 0;
	/** Since when there is no connection. */
	#lostAtMs = performance.now();
	#retry: NodeJS.Timeout | null = null;
	#lastReason = "";

	constructor(options: EventSubscriptionOptions) {
		this.#options = options;
		this.#ring = new EndpointRing(options.endpoints);
		this.#next = options.from ?? 0;
		this.ready = new Promise((resolve, reject) => {
			this.#begin = resolve;
			this.#neverBegan = reject;
		});
		// Whoever does not wait for it hears of the end from onEnd.
		this.ready.catch(() => {});
		void this.#connect();
	}

	get next(): number {
		return this.#next;
	}

	get moves(): number {
		return this.#moves;
	}

	get node(): string | null {
		return this.#node;
	}

	close(): void {
		this.#end(null);
	}

	async #connect(): Promise<void> {
		const { WebSocket } = await import("ws");
		if (this.#ended) return;
		try {
			this.#follow(this.#dial(WebSocket));
		} catch (error) {
			// Certificates may be unreadable for a moment, while they are replaced: that must not end the application.
			this.#disconnected(reasonOf(error));
		}
	}

	/** Throws when there is nothing to show or to believe: the application's own source, or what is in its PEM. */
	#dial(Socket: typeof WebSocket): WebSocket {
		const { address, tls } = this.#ring.current();
		const scheme = tls === undefined ? "ws" : "wss";
		return new Socket(`${scheme}://${address}/v1/events?from=${this.#next}`, {
			handshakeTimeout: this.#options.connectTimeoutMs,
			maxPayload: messageLimitBytes,
			perMessageDeflate: false,
			...(tls === undefined ? {} : materialOf(tls)),
		});
	}

	#follow(socket: WebSocket): void {
		const { address } = this.#ring.current();
		this.#socket = socket;
		const watch = watchSilence(socket);
		let reason = "";
		let opened = false;
		socket.on("upgrade", ({ headers }) => {
			if (this.#ended) return;
			const node = headers["raftd-node"];
			this.#node = typeof node === "string" ? node : null;
		});
		socket.on("open", () => {
			opened = true;
			this.#opened();
		});
		socket.on("message", (data) => this.#receive(String(data)));
		socket.on("unexpected-response", (_request, { statusCode = 0 }) => {
			reason = `${address} answers HTTP ${statusCode}`;
			if (statusCode >= 400 && statusCode < 500 && statusCode !== 429)
				this.#end(new NotDoneError("unsupported", reason));
			socket.terminate();
		});
		socket.on("error", (error) => {
			reason ||= error.message;
		});
		socket.once("close", (code, text) => {
			clearInterval(watch);
			if (opened) this.#lostAtMs = performance.now();
			if (code === eventsGoneCode)
				this.#end(
					new EventsGoneError(this.#next, Number.parseInt(`${text}`, 10)),
				);
			else this.#disconnected(reason || `${text}` || `closed with ${code}`);
		});
	}

	#receive(text: string): void {
		if (this.#ended) return;
		const message = parseEventMessage(text);
		if (message === null) {
			this.#end(
				new NotDoneError("unsupported", `not a message: ${text.slice(0, 100)}`),
			);
			return;
		}
		// Not when it opens: a server that only accepts and leaves again is not one to count on.
		this.#failures = 0;
		if (message.type === "events") this.#tell(message.events);
		else if (message.type === "progress") {
			const { index } = message;
			if (!this.#started) this.#start(index + 1);
			this.#next = Math.max(this.#next, index + 1);
			this.#options.onProgress?.(index);
		}
	}

	#tell(events: readonly IndexedEvent[]): void {
		const [first] = events;
		if (first !== undefined && !this.#started) this.#start(first.index);
		for (const { index, event } of events) {
			// Whoever is told may close it, and is told nothing more.
			if (this.#ended) return;
			// Told already, over an earlier connection.
			if (index < this.#next) continue;
			this.#next = index + 1;
			this.#options.onEvent(index, event);
		}
	}

	#opened(): void {
		if (this.#ended) return;
		if (this.#lastReason !== "") {
			const reason = this.#lastReason;
			this.#lastReason = "";
			this.#moves++;
			this.#options.onMove?.(reason);
		}
		// Whoever begins "now" has to hear first where that is.
		if (this.#next > 0 && !this.#started) this.#start(this.#next);
	}

	#start(index: number): void {
		this.#started = true;
		this.#begin(index);
	}

	#disconnected(reason: string): void {
		if (this.#ended) return;
		this.#socket = null;
		this.#node = null;
		if (this.#started) this.#lastReason ||= reason;
		this.#failures++;
		this.#ring.advance();
		const { giveUpAfterMs = defaultGiveUpAfterMs } = this.#options;
		if (performance.now() - this.#lostAtMs > giveUpAfterMs) {
			this.#end(
				new NotDoneError("unreachable", `no connection: ${reason}`, {
					attempts: this.#failures,
				}),
			);
			return;
		}
		this.#retry = setTimeout(
			() => void this.#connect(),
			backoffMs(this.#failures),
		);
	}

	#end(error: EventsGoneError | NotDoneError | null): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#node = null;
		if (this.#retry !== null) clearTimeout(this.#retry);
		this.#socket?.close();
		// A server that does not close in turn must not keep the application from ending.
		setTimeout(() => this.#socket?.terminate(), closeLimitMs).unref();
		this.#neverBegan(error ?? new NotDoneError("closed", "it was closed"));
		this.#options.onEnd(error);
	}
}

function watchSilence(socket: WebSocket): NodeJS.Timeout {
	let heardAtMs = performance.now();
	const heard = () => {
		heardAtMs = performance.now();
	};
	socket.on("message", heard).on("ping", heard);
	return setInterval(() => {
		if (performance.now() - heardAtMs > silenceLimitMs) socket.terminate();
	}, silenceLimitMs / 3);
}
