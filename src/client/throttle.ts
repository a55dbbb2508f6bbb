/** For each one that was accepted, so many are sent: enough for the node to take more as soon as it can. */
const sentPerAccepted = 1.25;
/** Refused within the window and no reason yet to hold anything back; as many at least still go and ask. */
const freeRefusals = 20;
/** Short: what is sent can grow by a quarter in that time, once the node takes more again. */
const halfLifeMs = 100;

/**
 * Holds requests back that a node would refuse: to read and refuse what comes in excess takes the node the time that it
 * needs for what it accepts, and meanwhile that waits behind it (Google, Site Reliability Engineering, ch. 21, client-side
 * throttling). Without refusals it holds nothing back.
 */
export class Throttle {
	#accepted = 0;
	/** By the node, or held back here. */
	#refused = 0;
	#countedAtMs = 0;
	readonly #random: () => number;

	constructor(random: () => number = Math.random) {
		this.#random = random;
	}

	accepted(): void {
		this.#accepted++;
	}

	refused(): void {
		this.#refused++;
	}

	/** Whether the next request is not worth sending now; monotonic milliseconds. */
	holds(nowMs: number): boolean {
		this.#forget(nowMs);
		const asked = this.#accepted + this.#refused;
		const excess = asked - sentPerAccepted * this.#accepted - freeRefusals;
		if (excess <= 0 || this.#random() >= excess / asked) return false;
		this.#refused++;
		return true;
	}

	/** What is past counts half as much each half-life. */
	#forget(nowMs: number): void {
		const halves = Math.floor((nowMs - this.#countedAtMs) / halfLifeMs);
		if (halves === 0) return;
		this.#countedAtMs += halves * halfLifeMs;
		const share = 0.5 ** halves;
		this.#accepted *= share;
		this.#refused *= share;
	}
}
