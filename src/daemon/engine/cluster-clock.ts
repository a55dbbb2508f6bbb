interface ClusterClockOptions {
	/** What the log says that the time is: the latest of all that was executed. */
	readonly told: () => number;
	/** Of this machine, since the Unix epoch; may be wrong, and may jump. */
	readonly wallMs: () => number;
	/** Never runs backwards. */
	readonly monotonicMs: () => number;
}

/**
 * The cluster's time, as a leader would tell it: that of its own clock, or, where the log is ahead of that, what the log
 * says and what has passed since. A leader whose clock was ahead may be gone; until everybody's clock had come as far,
 * no lock and no session would end otherwise.
 */
export class ClusterClock {
	readonly #options: ClusterClockOptions;
	#toldMs = 0;
	#sinceMs = 0;

	constructor(options: ClusterClockOptions) {
		this.#options = options;
	}

	/** Milliseconds since the Unix epoch. */
	nowMs(): number {
		return Math.max(this.#options.wallMs(), this.toldMs());
	}

	/** The same by what others said alone: what this machine's own clock must not decide. */
	toldMs(): number {
		const { told, monotonicMs } = this.#options;
		const passedMs = monotonicMs();
		const toldMs = told();
		if (toldMs !== this.#toldMs) {
			this.#toldMs = toldMs;
			this.#sinceMs = passedMs;
		}
		return Math.floor(toldMs + passedMs - this.#sinceMs);
	}
}
