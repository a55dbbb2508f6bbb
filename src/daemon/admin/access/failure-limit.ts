/** So many failures at once, and then one a second: nobody tries tokens out. */
const burst = 10;
const intervalMs = 1_000;
/** Addresses remembered at most; the oldest is forgotten. */
const maxAddresses = 1_024;

/** How often one address may fail. What succeeds costs nothing. */
export class FailureLimit {
	/** By address: when it may fail as often as ever again. */
	readonly #fullAtMs = new Map<string, number>();

	/** For how many milliseconds the address must not try; 0 when it may. `nowMs` is monotonic. */
	waitMs(address: string, nowMs: number): number {
		const fullAtMs = this.#fullAtMs.get(address) ?? 0;
		return Math.max(
			0,
			Math.ceil(fullAtMs + intervalMs - nowMs - burst * intervalMs),
		);
	}

	failed(address: string, nowMs: number): void {
		const fullAtMs = Math.max(this.#fullAtMs.get(address) ?? 0, nowMs);
		this.#fullAtMs.delete(address);
		this.#fullAtMs.set(address, fullAtMs + intervalMs);
		if (this.#fullAtMs.size <= maxAddresses) return;
		const [oldest] = this.#fullAtMs.keys();
		if (oldest !== undefined) this.#fullAtMs.delete(oldest);
	}
}
