import type { ClientTlsSource } from "./door.js";

export interface Endpoint {
	readonly host: string;
	readonly port: number;
	/** As it was given: host:port. */
	readonly address: string;
	/** Absent: plain text. */
	readonly tls?: ClientTlsSource;
}

/** Throws TypeError for an address that is not host:port or [v6]:port. */
export function parseEndpoints(
	addresses: readonly string[],
	tls?: ClientTlsSource,
): Endpoint[] {
	if (addresses.length === 0) throw new TypeError("no endpoints are given");
	return addresses.map((address) => {
		const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s/]+)):(\d{1,5})$/.exec(
			address,
		);
		const port = Number(match?.[3]);
		if (match === null || port < 1 || port > 65_535)
			throw new TypeError(`${JSON.stringify(address)} is not host:port`);
		const host = match[1] ?? match[2] ?? "";
		return { host, port, address, ...(tls !== undefined && { tls }) };
	});
}

/** Goes round the endpoints, from a random one on so that clients spread. */
export class EndpointRing {
	readonly #endpoints: readonly Endpoint[];
	#at: number;

	constructor(endpoints: readonly Endpoint[]) {
		this.#endpoints = endpoints;
		this.#at = Math.floor(Math.random() * endpoints.length);
	}

	get size(): number {
		return this.#endpoints.length;
	}

	current(): Endpoint {
		return this.#endpoints[this.#at] as Endpoint;
	}

	/** The endpoint with this address, unless it is the current one; null when there is none. */
	other(address: string | null): Endpoint | null {
		const found = this.#endpoints.find((one) => one.address === address);
		return found === undefined || found === this.current() ? null : found;
	}

	/** `endpoint` is one of these. */
	moveTo(endpoint: Endpoint): void {
		this.#at = this.#endpoints.indexOf(endpoint);
	}

	/** After a failure, or when the server leaves. */
	advance(): void {
		this.#at = (this.#at + 1) % this.#endpoints.length;
	}
}

const backoffFirstMs = 10;
/** Short: an election, or a restart behind a balancer, is over soon, and every wait adds to the slowest write. */
const backoffMaxMs = 200;

/**
 * Milliseconds before attempt number `attempt` + 1, with jitter, so that clients that lost the same node do not come
 * back together.
 */
export function backoffMs(attempt: number): number {
	const most = Math.min(backoffFirstMs * 2 ** (attempt - 1), backoffMaxMs);
	return most / 2 + (Math.random() * most) / 2;
}
