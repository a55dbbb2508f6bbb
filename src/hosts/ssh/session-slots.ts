/** sshd's MaxSessions is 10 unless set; two stay free for ending what hangs. */
export const sessionsPerConnection = 8;

/** How many commands run over one connection at once; the others wait their turn. */
export class SessionSlots {
	#limit = sessionsPerConnection;
	#taken = 0;
	readonly #waiting: (() => void)[] = [];

	/** Resolves with what gives the slot back. Rejects with the signal's reason. */
	async take(signal: AbortSignal): Promise<() => void> {
		signal.throwIfAborted();
		while (this.#taken >= this.#limit) await this.#turn(signal);
		this.#taken += 1;
		let given = false;
		return () => {
			if (given) return;
			given = true;
			this.#taken -= 1;
			this.#waiting.shift()?.();
		};
	}

	/**
	 * The server refused one more session: from now on one less than it holds, so that what hangs can still be ended. False
	 * when it holds none, so that there is nothing to wait for.
	 */
	lower(): boolean {
		const held = this.#taken - 1;
		if (held < 1) return false;
		this.#limit = Math.min(this.#limit, Math.max(1, held - 1));
		return true;
	}

	#turn(signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const wake = () => {
				signal.removeEventListener("abort", give);
				resolve();
			};
			const give = () => {
				const at = this.#waiting.indexOf(wake);
				if (at >= 0) this.#waiting.splice(at, 1);
				reject(signal.reason);
			};
			this.#waiting.push(wake);
			signal.addEventListener("abort", give, { once: true });
		});
	}
}
