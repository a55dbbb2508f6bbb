import type { Clock } from "../../src/operations/clock.js";

interface Timer {
	readonly atMs: number;
	readonly wake: () => void;
}

/**
 * Virtual time: whenever nothing is left to do but to sleep, the clock jumps to the earliest sleeper. Only for code that
 * waits for nothing but this clock and promises that are already on their way.
 */
export class FakeClock implements Clock {
	#nowMs = 0;
	#timers: Timer[] = [];
	#running = false;

	now(): number {
		return this.#nowMs;
	}

	/** The fakes date from the same moment. */
	unixMs(): number {
		return this.#nowMs;
	}

	sleep(ms: number, signal?: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			if (signal?.aborted) return reject(signal.reason);
			const timer: Timer = {
				atMs: this.#nowMs + Math.max(0, ms),
				wake: () => {
					signal?.removeEventListener("abort", onAbort);
					resolve();
				},
			};
			const onAbort = () => {
				this.#timers = this.#timers.filter((other) => other !== timer);
				reject(signal?.reason);
			};
			signal?.addEventListener("abort", onAbort, { once: true });
			this.#timers.push(timer);
			void this.#run();
		});
	}

	async #run(): Promise<void> {
		if (this.#running) return;
		this.#running = true;
		while (this.#timers.length > 0) {
			await allElse();
			const [next] = this.#timers.sort((a, b) => a.atMs - b.atMs);
			if (next === undefined) break;
			this.#timers = this.#timers.filter((timer) => timer !== next);
			this.#nowMs = Math.max(this.#nowMs, next.atMs);
			next.wake();
		}
		this.#running = false;
	}
}

/** Every promise that is on its way has settled after two turns of the event loop. */
async function allElse(): Promise<void> {
	for (let turn = 0; turn < 2; turn++)
		await new Promise((resolve) => setImmediate(resolve));
}
