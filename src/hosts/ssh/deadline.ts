/** A limit that can stand still: what a person is asked meanwhile is no delay of the other side. */
export class Deadline {
	readonly #expire: () => void;
	#leftMs: number;
	#since = 0;
	/** Null while it stands still, and once it is over. */
	#timer: NodeJS.Timeout | null = null;
	#ended = false;

	constructor(limitMs: number, expire: () => void) {
		this.#expire = expire;
		this.#leftMs = limitMs;
		this.resume();
	}

	pause(): void {
		if (this.#timer === null) return;
		clearTimeout(this.#timer);
		this.#timer = null;
		this.#leftMs -= performance.now() - this.#since;
	}

	resume(): void {
		if (this.#timer !== null || this.#ended) return;
		this.#since = performance.now();
		this.#timer = setTimeout(
			() => {
				this.end();
				this.#expire();
			},
			Math.max(0, this.#leftMs),
		);
	}

	/** It never expires any more. */
	end(): void {
		this.#ended = true;
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
	}
}
