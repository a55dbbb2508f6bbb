/** Long enough to hold several writes of the disk, short against what a person notices. */
const windowMs = 25;
/** While no queue stands, the bound grows by this factor each window: the rate it was taken from may have been low. */
const growth = 1.05;
/** So many windows in a row without a queue that stands: the load is gone, and the bound with it. */
const calmWindows = 40;
const maxRetryAfterMs = 5000;

export interface WaitLimits {
	/** What a command may wait beyond the time that it takes without any queue. */
	readonly maxQueueWaitMs: number;
	/** So many may always wait. */
	readonly minPendingCommands: number;
}

/**
 * Bounds the time that commands wait, not their number: how many may wait follows from how fast they are done. As in
 * CoDel, the least wait of a window counts. A burst drains within it and is no overload; a queue that stands is. While
 * nothing is done at all, as between two leaders, nothing is learnt: a pause is no overload.
 */
export class WaitBound {
	readonly #limits: WaitLimits;
	#maxPending = Number.POSITIVE_INFINITY;
	/** The fastest ever: what the disk and the network take, without a queue. */
	#leastMs = Number.POSITIVE_INFINITY;
	#calm = 0;
	#startMs = 0;
	#done = 0;
	#refused = 0;
	#windowLeastMs = Number.POSITIVE_INFINITY;
	/** Of the window before: so many were sent away for each that was done. */
	#refusedShare = 0;

	constructor(limits: WaitLimits) {
		this.#limits = limits;
	}

	/** A command was done, `waitedMs` after it was accepted. */
	done(waitedMs: number, nowMs: number): void {
		this.#turn(nowMs);
		this.#done++;
		this.#windowLeastMs = Math.min(this.#windowLeastMs, waitedMs);
		this.#leastMs = Math.min(this.#leastMs, waitedMs);
	}

	/** How many may wait; infinite while there is no overload. */
	maxPending(nowMs: number): number {
		this.#turn(nowMs);
		return this.#maxPending;
	}

	/**
	 * One was sent away: when to come back. The more are sent away, the later, so that those who come back are no more
	 * than are done; `random`, in [0, 1), keeps them from coming back together.
	 */
	refused(nowMs: number, random: number): number {
		this.#turn(nowMs);
		this.#refused++;
		const meanMs = this.#limits.maxQueueWaitMs * (1 + this.#refusedShare);
		return Math.min(Math.ceil(meanMs * (0.5 + random)), maxRetryAfterMs);
	}

	#turn(nowMs: number): void {
		const elapsedMs = nowMs - this.#startMs;
		if (elapsedMs < windowMs) return;
		if (this.#done > 0) this.#learn(this.#done / elapsedMs);
		this.#startMs = nowMs;
		this.#done = 0;
		this.#refused = 0;
		this.#windowLeastMs = Number.POSITIVE_INFINITY;
	}

	#learn(donePerMs: number): void {
		const { maxQueueWaitMs, minPendingCommands } = this.#limits;
		this.#refusedShare = this.#refused / this.#done;
		const bound = this.#leastMs + maxQueueWaitMs;
		if (this.#windowLeastMs > bound) {
			this.#calm = 0;
			this.#maxPending = Math.max(minPendingCommands, donePerMs * bound);
			return;
		}
		this.#calm = this.#refused === 0 ? this.#calm + 1 : 0;
		this.#maxPending =
			this.#calm >= calmWindows
				? Number.POSITIVE_INFINITY
				: this.#maxPending * growth;
	}
}
