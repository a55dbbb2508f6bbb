import { monitorEventLoopDelay } from "node:perf_hooks";

/**
 * Measures how late the event loop turns: a stall delays heartbeats, and looks like a dead node from outside (P68).
 */
export class EventLoopMeter {
	readonly #histogram = monitorEventLoopDelay({ resolution: resolutionMs });
	#windowStartedMs: number;
	#lastWindowMs = 0;
	#longestMs = 0;

	constructor(nowMs: number) {
		this.#windowStartedMs = nowMs;
		this.#histogram.enable();
	}

	/** To be called now and then; closes a window that is full. */
	tick(nowMs: number): void {
		if (nowMs - this.#windowStartedMs < windowMs) return;
		this.#lastWindowMs = this.#currentMs();
		this.#longestMs = Math.max(this.#longestMs, this.#lastWindowMs);
		this.#histogram.reset();
		this.#windowStartedMs = nowMs;
	}

	view(): EventLoopView {
		const currentMs = this.#currentMs();
		return {
			recentStallMs: Math.max(currentMs, this.#lastWindowMs),
			longestStallMs: Math.max(currentMs, this.#longestMs),
		};
	}

	close(): void {
		this.#histogram.disable();
	}

	// The histogram records the time between two turns of its own timer, which includes the timer's interval.
	#currentMs(): number {
		const { max } = this.#histogram;
		return max > longestCredibleNs ? 0 : Math.max(0, max / 1e6 - resolutionMs);
	}
}

export interface EventLoopView {
	/** The longest stall in the current window and the one before it: the last 10 to 20 seconds. */
	readonly recentStallMs: number;
	readonly longestStallMs: number;
}

const resolutionMs = 20;
const windowMs = 10_000;

/** An hour: above it, the clock of the machine was moved. */
const longestCredibleNs = 3_600e9;
