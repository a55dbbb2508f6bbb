/** When each write under way was handed in; answers how long the oldest has been waiting. */
export class PendingWrites {
	readonly #sequences: number[] = [];
	readonly #sinceMs: number[] = [];
	#head = 0;

	add(sequence: number, nowMs: number): void {
		this.#sequences.push(sequence);
		this.#sinceMs.push(nowMs);
	}

	/** All up to `sequence` are done. */
	done(sequence: number): void {
		const sequences = this.#sequences;
		while ((sequences[this.#head] ?? Number.POSITIVE_INFINITY) <= sequence)
			this.#head += 1;
		if (this.#head === sequences.length || this.#head > 1024) {
			sequences.splice(0, this.#head);
			this.#sinceMs.splice(0, this.#head);
			this.#head = 0;
		}
	}

	/** Milliseconds since the oldest was handed in; 0 when there is none. */
	oldestMs(nowMs: number): number {
		const since = this.#sinceMs[this.#head];
		return since === undefined ? 0 : nowMs - since;
	}
}
