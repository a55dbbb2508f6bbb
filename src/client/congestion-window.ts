/** So few may always be under way: with none, nothing would be learnt. */
const leastSize = 8;
/** Of what was under way when some was sent away. */
const decrease = 0.7;
/** When nothing was held back or sent away for so long, the overload is over, and the window with it. */
const calmMs = 1000;

/**
 * How many commands may be under way at once: as many as the nodes take without sending any away. What is beyond would
 * be refused there, and sending it costs both sides the time in which others are done. Additive increase, multiplicative
 * decrease, as TCP's congestion window (RFC 5681).
 */
export class CongestionWindow {
	/** Infinite while there is no overload. */
	#size = Number.POSITIVE_INFINITY;
	#underWay = 0;
	#lastOrder = 0;
	/** Of the last command that was sent before the last cut. */
	#cutAt = 0;
	/** When it last was too small, or a node's room was. */
	#fullAtMs = 0;
	#retryAfterMs = 0;

	/** Null: it may be sent. Else in how many milliseconds it may be tried again. */
	holdBackMs(nowMs: number): number | null {
		if (this.#underWay < this.#size) return null;
		const isOver = nowMs - this.#fullAtMs >= calmMs;
		this.#fullAtMs = nowMs;
		if (!isOver) return this.#retryAfterMs;
		this.#size = Number.POSITIVE_INFINITY;
		return null;
	}

	/** One is sent; the result, above 0, is to be given back with its end. */
	sent(): number {
		this.#underWay++;
		return ++this.#lastOrder;
	}

	/** It was answered, or nobody waits for its answer any more. */
	ended(isDone: boolean): void {
		// Only who fills the window learns whether it could be larger.
		if (isDone && this.#underWay * 2 > this.#size) this.#size += 1 / this.#size;
		this.#underWay--;
	}

	/** A node sent it away for want of room. */
	sentAway(order: number, retryAfterMs: number, nowMs: number): void {
		this.#fullAtMs = nowMs;
		this.#retryAfterMs = retryAfterMs;
		// What was sent before the last cut was too much for the reason that has been acted on.
		if (order > this.#cutAt) {
			const most = Math.min(this.#size, this.#underWay);
			this.#size = Math.max(leastSize, most * decrease);
			this.#cutAt = this.#lastOrder;
		}
		this.#underWay--;
	}
}
