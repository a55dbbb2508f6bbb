/** Over so long the least delay is looked for; clocks drift apart by little meanwhile. */
const windowMs = 30_000;

/**
 * When another node's messages were sent, by this node's clock. The clocks have nothing in common but their pace, so the
 * least delay seen lately is taken for none: what waited while this process stood still is known by it.
 */
export class SendingClock {
	/** How far the clocks are apart, at most: now, and in the window before. */
	#apartMs = Number.POSITIVE_INFINITY;
	#apartBeforeMs = Number.POSITIVE_INFINITY;
	#sinceMs: number | null = null;

	/** `stamp` is the sender's clock when it was sent. */
	sentMs(stamp: number, nowMs: number): number {
		this.#sinceMs ??= nowMs;
		if (nowMs - this.#sinceMs >= windowMs) {
			this.#apartBeforeMs = this.#apartMs;
			this.#apartMs = Number.POSITIVE_INFINITY;
			this.#sinceMs = nowMs;
		}
		this.#apartMs = Math.min(this.#apartMs, nowMs - stamp);
		return stamp + Math.min(this.#apartMs, this.#apartBeforeMs);
	}
}
