import { reasonOf } from "../../../src/errors.js";
import { type HttpClient, httpClient, type Question } from "./http-client.js";

export interface WriteOptions {
	/** host:port of the balancer. */
	readonly address: string;
	readonly perSecond: number;
	readonly connections: number;
	readonly timeoutMs: number;
	/** A write, of a key of its own. */
	readonly write: (number: number) => Question;
}

/** How many failures keep their text. */
const maxFailureTexts = 20;

/**
 * An open loop: each write is due at its time whatever became of those before it, and its latency counts from then. Who
 * waits for an answer before the next request would send fewest while nobody answers, and see little of it.
 */
export class Writes {
	done = 0;
	failed = 0;
	/** Of those that were acknowledged. */
	slowestMs = 0;
	readonly failures: string[] = [];
	readonly #options: WriteOptions;
	readonly #client: HttpClient;
	readonly #underWay = new Set<Promise<void>>();
	readonly #beganAtMs = performance.now();
	#sent = 0;
	#timer: NodeJS.Timeout | null = null;

	constructor(options: WriteOptions) {
		this.#options = options;
		this.#client = httpClient(options);
		this.#sendDue();
	}

	/** Forgets what was so far. */
	beginMeasuring(): void {
		this.done = 0;
		this.failed = 0;
		this.slowestMs = 0;
		this.failures.length = 0;
	}

	/** Resolves when every write has been answered, or has failed. */
	async stop(): Promise<void> {
		if (this.#timer !== null) clearTimeout(this.#timer);
		await Promise.all(this.#underWay);
		this.#client.close();
	}

	#sendDue(): void {
		const { perSecond } = this.#options;
		const dueAtMs = () => this.#beganAtMs + (this.#sent * 1_000) / perSecond;
		while (dueAtMs() <= performance.now()) {
			const one = this.#write(this.#sent, dueAtMs());
			this.#sent++;
			this.#underWay.add(one);
			void one.finally(() => this.#underWay.delete(one));
		}
		const waitMs = Math.max(0, dueAtMs() - performance.now());
		this.#timer = setTimeout(() => this.#sendDue(), waitMs);
	}

	async #write(number: number, dueAtMs: number): Promise<void> {
		try {
			await this.#client.ask(this.#options.write(number));
			this.done++;
			const tookMs = performance.now() - dueAtMs;
			this.slowestMs = Math.max(this.slowestMs, tookMs);
		} catch (error) {
			this.failed++;
			if (this.failures.length < maxFailureTexts)
				this.failures.push(reasonOf(error));
		}
	}
}
