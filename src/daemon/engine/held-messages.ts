import type { Message } from "../../raft/types.js";

/** Messages that promise what a write holds, until that write is durable (P1, P2). */
export class HeldMessages {
	readonly #held: { afterSequence: number; messages: readonly Message[] }[] =
		[];
	#durable = 0;

	/** Sends at once what depends on nothing that is still under way. */
	hold(
		messages: readonly Message[],
		afterSequence: number,
		send: (message: Message) => void,
	): void {
		if (messages.length === 0) return;
		if (this.#held.length > 0 || afterSequence > this.#durable)
			this.#held.push({ afterSequence, messages });
		else for (const message of messages) send(message);
	}

	/** Writes up to `sequence` are durable. */
	release(sequence: number, send: (message: Message) => void): void {
		this.#durable = Math.max(this.#durable, sequence);
		let released = 0;
		for (const { afterSequence, messages } of this.#held) {
			if (afterSequence > this.#durable) break;
			for (const message of messages) send(message);
			released++;
		}
		this.#held.splice(0, released);
	}
}
