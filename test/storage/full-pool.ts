import { pbkdf2 } from "node:crypto";

/**
 * Keeps the libuv pool busy, with jobs waiting, until it is emptied. Key derivation, and not zlib: each job takes one
 * thread of the pool once, from its beginning to its end, where a deflate comes back for every chunk of its output.
 */
export class FullPool {
	static readonly #threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
	/** How many jobs wait for a thread at any time. */
	static readonly waiting = 4;
	readonly #jobs = new Set<Promise<void>>();
	#ended = 0;
	#full = true;

	constructor() {
		for (let at = 0; at < FullPool.#threads + FullPool.waiting; at += 1)
			this.#begin();
	}

	/** How many jobs end while `act` is done. */
	async endedDuring(act: () => Promise<void>): Promise<number> {
		const before = this.#ended;
		await act();
		return this.#ended - before;
	}

	async empty(): Promise<void> {
		this.#full = false;
		await Promise.all(this.#jobs);
	}

	#begin(): void {
		const job = new Promise<void>((resolve, reject) => {
			pbkdf2("password", "salt", 100_000, 64, "sha512", (error) => {
				if (error !== null) return reject(error);
				this.#ended += 1;
				this.#jobs.delete(job);
				if (this.#full) this.#begin();
				resolve();
			});
		});
		this.#jobs.add(job);
	}
}
