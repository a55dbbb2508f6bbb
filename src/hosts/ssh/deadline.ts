/** A limit that stands still while a person is asked something. */
export class Deadline {
	readonly #expire: () => void;
	#leftMs: number;
	#since = 0;
	#timer: NodeJS.Timeout | null = null;
	#pauses = 0;

	constructor(limitMs: number, expire: () => void) {
		this.#leftMs = limitMs;
		this.#expire = expire;
		this.#run();
	}

	/** Until the function that it returns is called. */
	pause(): () => void {
		this.#pauses += 1;
		if (this.#timer !== null) {
			clearTimeout(this.#timer);
			this.#timer = null;
			this.#leftMs -= performance.now() - this.#since;
		}
		let paused = true;
		return () => {
			if (!paused) return;
			paused = false;
			this.#pauses -= 1;
			if (this.#pauses === 0) this.#run();
		};
	}

	/** It never expires any more. */
	end(): void {
		this.#pauses = Number.POSITIVE_INFINITY;
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
	}

	#run(): void {
		this.#since = performance.now();
		this.#timer = setTimeout(this.#expire, Math.max(0, this.#leftMs));
	}
}
