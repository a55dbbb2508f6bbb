import type { Message, Ready } from "../../src/raft/types.js";

interface Held {
	readonly afterSequence: number;
	readonly messages: readonly Message[];
}

/** The messages that promise something, held back until the write they rest on is durable, and sent in order. */
export class Outbox {
	readonly #send: (message: Message) => void;
	#held: Held[] = [];

	constructor(send: (message: Message) => void) {
		this.#send = send;
	}

	clear(): void {
		this.#held = [];
	}

	/** `done`: every write up to this one is durable. Returns whether anything had to wait. */
	take({ messagesAfterSync, afterSequence }: Ready, done: number): boolean {
		if (messagesAfterSync.length === 0) return false;
		if (this.#held.length === 0 && done >= afterSequence) {
			for (const message of messagesAfterSync) this.#send(message);
			return false;
		}
		this.#held.push({ afterSequence, messages: messagesAfterSync });
		return true;
	}

	durable(done: number): void {
		let at = 0;
		for (const { afterSequence, messages } of this.#held) {
			if (afterSequence > done) break;
			for (const message of messages) this.#send(message);
			at++;
		}
		if (at > 0) this.#held.splice(0, at);
	}
}
