/** Waits until nothing is under way, or long enough. */
export class IdleWait {
	readonly #isIdle: () => boolean;
	#onIdle: (() => void) | null = null;

	constructor(isIdle: () => boolean) {
		this.#isIdle = isIdle;
	}

	/** To be called after each turn. */
	check(): void {
		if (this.#onIdle !== null && this.#isIdle()) this.#onIdle();
	}

	until(limitMs: number): Promise<void> {
		if (this.#isIdle()) return Promise.resolve();
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, limitMs);
			this.#onIdle = () => {
				this.#onIdle = null;
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
