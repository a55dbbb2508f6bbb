import type { Connection } from "./connection.js";

/** A host that could not be reached is not tried again so soon: asked ten things, it still costs one wait. */
const failureHoldsMs = 5_000;

/** The one connection to a host: made when it is needed, and again when it broke. */
export class Link {
	readonly name: string;
	readonly #connect: (signal: AbortSignal) => Promise<Connection>;
	readonly #closed = new AbortController();
	#connection: Promise<Connection> | null = null;
	#failedAtMs = Number.NEGATIVE_INFINITY;

	constructor(
		name: string,
		connect: (signal: AbortSignal) => Promise<Connection>,
	) {
		this.name = name;
		this.#connect = connect;
	}

	/** Throws OperatorError "unreachable"; for a while after a failure the same one at once. */
	async connection(): Promise<Connection> {
		const present = this.#connection;
		if (present !== null) {
			const connection = await present.catch(() => null);
			if (connection === null) {
				if (performance.now() - this.#failedAtMs < failureHoldsMs)
					return present;
			} else if (!connection.lost.aborted) return connection;
			// Whoever came first has made another one meanwhile.
			if (this.#connection !== present) return this.connection();
		}
		return this.#open();
	}

	async close(): Promise<void> {
		this.#closed.abort(new Error("it was closed"));
		const connection = await this.#connection?.catch(() => null);
		connection?.close();
	}

	#open(): Promise<Connection> {
		const opening = this.#connect(this.#closed.signal);
		this.#connection = opening;
		opening.catch(() => {
			this.#failedAtMs = performance.now();
		});
		return opening;
	}
}
