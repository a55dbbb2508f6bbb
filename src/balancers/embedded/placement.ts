import { connect, type Socket } from "node:net";
import { reasonOf } from "../../errors.js";
import { splitAddress } from "../address.js";
import type { BackendPool } from "./backend-pool.js";
import type { BackendEntry, EmbeddedConfig } from "./config.js";

export interface Placed {
	readonly backend: BackendEntry;
	readonly upstream: Socket;
}

/**
 * Finds a node for each new connection. A node that does not answer is passed over before the client notices; while
 * there is no node at all, the connection is held, because the next one may be a moment away.
 */
export class Placement {
	readonly #config: EmbeddedConfig;
	readonly #pool: BackendPool;
	#held = 0;

	constructor(config: EmbeddedConfig, pool: BackendPool) {
		this.#config = config;
		this.#pool = pool;
	}

	/** Connections that wait for a node now. */
	get held(): number {
		return this.#held;
	}

	/**
	 * A connection to a node, counted in the pool until it is released there; null when there was none in time.
	 * `gone` is aborted when the client leaves.
	 */
	async place(gone: AbortSignal): Promise<Placed | null> {
		const placed = await this.#tryEach(gone);
		return placed ?? this.#hold(gone);
	}

	async #hold(gone: AbortSignal): Promise<Placed | null> {
		if (this.#held >= this.#config.maxHeld) return null;
		this.#held++;
		const limit = new AbortController();
		const timer = setTimeout(() => limit.abort(), this.#config.holdMs);
		const leave = () => limit.abort();
		gone.addEventListener("abort", leave, { once: true });
		try {
			let placed: Placed | null = null;
			while (placed === null && !limit.signal.aborted) {
				await this.#pool.nextUp(limit.signal);
				placed = await this.#tryEach(gone);
			}
			return placed;
		} finally {
			this.#held--;
			clearTimeout(timer);
			gone.removeEventListener("abort", leave);
		}
	}

	async #tryEach(gone: AbortSignal): Promise<Placed | null> {
		const tried = new Set<string>();
		while (!gone.aborted) {
			const backend = this.#pool.take(tried);
			if (backend === null) return null;
			tried.add(backend.node);
			const upstream = await this.#connect(backend);
			if (upstream !== null) return { backend, upstream };
			this.#pool.release(backend);
		}
		return null;
	}

	#connect({ node, client }: BackendEntry): Promise<Socket | null> {
		return new Promise((resolve) => {
			const upstream = connect({
				...splitAddress(client),
				allowHalfOpen: true,
				noDelay: true,
				keepAlive: true,
				keepAliveInitialDelay: keepAliveMs,
			});
			const failed = (reason: string) => {
				clearTimeout(timer);
				upstream.destroy();
				// Until the next check says otherwise, so that not every new connection finds it out again.
				this.#pool.report(node, "down", `cannot connect: ${reason}`);
				resolve(null);
			};
			const { connectTimeoutMs } = this.#config;
			const timer = setTimeout(
				() => failed(`no answer within ${connectTimeoutMs} ms`),
				connectTimeoutMs,
			);
			const onError = (error: Error) => failed(reasonOf(error));
			upstream.once("error", onError).once("connect", () => {
				clearTimeout(timer);
				upstream.off("error", onError);
				resolve(upstream);
			});
		});
	}
}

/** A machine that vanished is noticed though nothing is sent. */
export const keepAliveMs = 15_000;
