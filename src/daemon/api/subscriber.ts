import type {
	EventSubscriber,
	EventSubscription,
	Replica,
} from "../replica.js";
import {
	type EventFrames,
	type EventText,
	progressFrame,
} from "./event-frames.js";

interface SubscriberOptions {
	readonly replica: Replica;
	readonly frames: EventFrames;
	/** The first index to be told of. */
	readonly from: number;
	/** Beyond this many bytes not yet taken by the client, it is told nothing more until it has taken them. */
	readonly maxUnsentBytes: number;
	/** Bytes that wait in the socket. */
	unsentBytes(): number;
	write(frames: Buffer): void;
	/** Asks for a `flush` at the end of this turn. */
	dirty(): void;
	/** The events it needs are no longer kept; `oldest` is the first that is. */
	gone(oldest: number): void;
}

/**
 * Tells one client of events, each exactly once and in order. A client that is slow costs a bounded buffer: the
 * subscription is given up, and taken again from where it stopped, so that what it has missed waits in the replica's
 * own bounded store.
 */
export class Subscriber implements EventSubscriber {
	readonly #options: SubscriberOptions;
	#subscription: EventSubscription | null = null;
	#state: "live" | "paused" | "closed" = "paused";
	/** The first index that it has not been handed. */
	#next: number;
	/** The last index that the client knows to be complete. */
	#told: number;
	#first = 0;
	#last = 0;
	#events: EventText[] = [];
	#bytes = 0;

	constructor(options: SubscriberOptions) {
		this.#options = options;
		this.#next = options.from;
		this.#told = options.from - 1;
	}

	/** Begins, or goes on after a pause; does nothing while the client still has too much to take. */
	resume(): void {
		const { replica, maxUnsentBytes, unsentBytes, gone } = this.#options;
		if (this.#state !== "paused") return;
		if (this.#bytes + unsentBytes() > maxUnsentBytes / 2) return;
		this.#state = "live";
		const subscription = replica.subscribe(this.#next, this);
		if (subscription === null) {
			this.#state = "closed";
			gone(replica.status().oldestEventIndex);
			return;
		}
		// It may have been told so much at once that it is paused, or closed, again.
		if (this.#isLive()) this.#subscription = subscription;
		else subscription.close();
	}

	onEvent(index: number, event: Uint8Array): void {
		if (this.#state !== "live" || index < this.#next) return;
		const text = this.#options.frames.event(index, event);
		if (this.#events.length === 0) {
			this.#first = index;
			this.#options.dirty();
		}
		this.#events.push(text);
		this.#bytes += text.bytes;
		this.#last = index;
		this.#next = index + 1;
		const unsent = this.#bytes + this.#options.unsentBytes();
		if (unsent > this.#options.maxUnsentBytes) this.#pause();
	}

	onProgress(index: number): void {
		if (this.#state === "live") this.#next = Math.max(this.#next, index + 1);
	}

	onGap(oldestIndex: number): void {
		this.close();
		this.#options.gone(oldestIndex);
	}

	/** Writes what has come since the last flush: one message, or as many as its bytes take. */
	flush(): void {
		if (this.#events.length === 0) return;
		const run = this.#options.frames.run(this.#first, this.#last, this.#events);
		this.#told = this.#last;
		this.#events = [];
		this.#bytes = 0;
		this.#options.write(run);
	}

	/** Tells a client that heard nothing for a while how far it is. */
	tellProgress(): void {
		const known = this.#next - 1;
		if (this.#events.length > 0 || known <= this.#told) return;
		this.#told = known;
		this.#options.write(progressFrame(known));
	}

	close(): void {
		this.#state = "closed";
		this.#subscription?.close();
		this.#subscription = null;
	}

	#pause(): void {
		this.#state = "paused";
		this.#subscription?.close();
		this.#subscription = null;
	}

	#isLive(): boolean {
		return this.#state === "live";
	}
}
