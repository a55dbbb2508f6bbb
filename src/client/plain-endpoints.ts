import type { Endpoint } from "./endpoints.js";

/** For so long an endpoint is taken at its word that it lets no stream pass; proxies are reconfigured now and then. */
export const plainForMs = 60_000;

/** Endpoints before which something lets no stream pass, as all of a client's lanes know them. */
export class PlainEndpoints {
	readonly #untilMs = new Map<string, number>();
	readonly #onFallback: (endpoint: string, reason: string) => void;

	constructor(onFallback: (endpoint: string, reason: string) => void) {
		this.#onFallback = onFallback;
	}

	/** For how long plain requests are to be used; 0: a stream is to be tried. */
	leftMs({ address }: Endpoint, nowMs: number): number {
		return Math.max(0, (this.#untilMs.get(address) ?? 0) - nowMs);
	}

	add({ address }: Endpoint, reason: string, nowMs: number): void {
		this.#untilMs.set(address, nowMs + plainForMs);
		this.#onFallback(address, reason);
	}
}
