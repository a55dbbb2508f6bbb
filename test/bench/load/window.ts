import type { LoadWindow } from "./orders.js";

/** Counts what is answered from its making on. */
export class Window {
	readonly #startMs = performance.now();
	#latencies = new Float64Array(1024);
	#done = 0;
	#sent = 0;
	readonly #refused: Record<string, number> = {};

	sent(count: number): void {
		this.#sent += count;
	}

	done(latencyMs: number): void {
		if (this.#done === this.#latencies.length) {
			const larger = new Float64Array(2 * this.#done);
			larger.set(this.#latencies);
			this.#latencies = larger;
		}
		this.#latencies[this.#done++] = latencyMs;
	}

	refused(reason: string): void {
		this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
	}

	take(): LoadWindow {
		const sorted = this.#latencies.subarray(0, this.#done).sort();
		const at = (share: number) => {
			const place = Math.min(this.#done - 1, Math.floor(this.#done * share));
			return Number((sorted[place] ?? Number.NaN).toFixed(2));
		};
		return {
			seconds: (performance.now() - this.#startMs) / 1000,
			...{ sent: this.#sent, done: this.#done, refused: this.#refused },
			...{ p50: at(0.5), p99: at(0.99), max: at(1) },
		};
	}
}
