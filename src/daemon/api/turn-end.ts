/** Something that has piled up bytes to write. */
interface Flushable {
	flush(): void;
}

/**
 * Runs what asked for it once, after this turn of the event loop, so that all answers of a turn to one connection
 * leave in one write.
 */
export class TurnEnd {
	#waiting: Flushable[] = [];

	/** To be called once a turn by each; the caller keeps track of that. */
	add(flushable: Flushable): void {
		this.#waiting.push(flushable);
		if (this.#waiting.length === 1) setImmediate(() => this.#run());
	}

	#run(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const flushable of waiting) flushable.flush();
	}
}
