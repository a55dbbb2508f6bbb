import type { Connection } from "./connection.js";

/** A host that could not be reached is not tried again so soon. */
const failureHoldsMs = 5_000;
/**
 * For so long a failure answers whoever asks, while the host is tried again beside it: asked in every pass of an operation, a
 * dead one costs one wait. What is older tells nothing: a host that is back may run what it is not to run any more.
 */
const failureStandsMs = 30_000;

/** The one connection to a host: made when it is needed, and again when it broke. */
export class Link {
	readonly name: string;
	readonly #connect: (signal: AbortSignal) => Promise<Connection>;
	readonly #closed = new AbortController();
	#connection: Promise<Connection> | null = null;
	/** Beside a failure that stands. */
	#again: Promise<void> | null = null;
	#failedAtMs = Number.NEGATIVE_INFINITY;

	constructor(
		name: string,
		connect: (signal: AbortSignal) => Promise<Connection>,
	) {
		this.name = name;
		this.#connect = connect;
	}

	/** Throws OperatorError "unreachable"; for a while after a failure the last one at once. */
	async connection(): Promise<Connection> {
		const present = this.#connection;
		if (present === null) return this.#open();
		const connection = await present.catch(() => null);
		// Whoever came first has made another one meanwhile.
		if (this.#connection !== present) return this.connection();
		if (connection === null) return this.#afterFailure(present);
		return connection.lost.aborted ? this.#open() : connection;
	}

	async #afterFailure(failed: Promise<Connection>): Promise<Connection> {
		const ageMs = performance.now() - this.#failedAtMs;
		if (ageMs < failureHoldsMs) return failed;
		this.#again ??= this.#tryAgain();
		if (ageMs < failureStandsMs) return failed;
		await this.#again;
		return this.connection();
	}

	/** What comes of it takes the failure's place. */
	async #tryAgain(): Promise<void> {
		const trying = this.#connect(this.#closed.signal);
		await trying.catch(() => {
			this.#failedAtMs = performance.now();
		});
		this.#connection = trying;
		this.#again = null;
	}

	async close(): Promise<void> {
		this.#closed.abort(new Error("it was closed"));
		await this.#again;
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
