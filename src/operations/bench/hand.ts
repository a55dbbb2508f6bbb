import { Generator } from "./generator.js";
import type { LoadOrder, ThreadWish } from "./load.js";
import { openTarget, type Target } from "./target.js";

/** Tries a first read, or write, for so long: a node may just be starting, or a leader be elected. */
const checkTimeoutMs = 5_000;
const checkPauseMs = 100;

/** One thread of a load: does what it is told, one order after the other. */
export class Hand {
	readonly #target: Target;
	readonly #generator: Generator;
	readonly #prefix: string;
	#busySince = performance.eventLoopUtilization();

	static async open(wish: ThreadWish): Promise<Hand> {
		const { connections, timeoutMs } = wish.requests;
		const own = Math.max(1, Math.ceil((connections - wish.index) / wish.of));
		const limits = { timeoutMs, connections: own };
		return new Hand(wish, await openTarget(wish.target, limits));
	}

	private constructor({ requests, index, of }: ThreadWish, target: Target) {
		this.#target = target;
		this.#prefix = requests.prefix;
		this.#generator = new Generator(target, requests, { index, of });
	}

	/** Answers `take` with a Sample, `remove` with a number. */
	async obey(order: LoadOrder): Promise<unknown> {
		if (typeof order === "object") return this.#generator.begin(order.begin);
		switch (order) {
			case "look":
				return await this.#tried(() => this.#target.get(`${this.#prefix}0`));
			case "check":
				return await this.#tried(() =>
					this.#target.put(`${this.#prefix}0`, new Uint8Array(1)),
				);
			case "fill":
				return await this.#generator.fill();
			case "mark":
				this.#busySince = performance.eventLoopUtilization();
				return this.#generator.mark();
			case "take":
				return { ...this.#generator.take(), busy: this.#busy() };
			case "stop":
				return await this.#generator.stop();
			case "remove":
				return await this.#target.removeBelow(this.#prefix);
			case "close":
				return await this.#target.close();
		}
	}

	kindOf(error: unknown): string {
		return this.#target.kindOf(error);
	}

	async #tried(request: () => Promise<unknown>): Promise<void> {
		const endMs = performance.now() + checkTimeoutMs;
		for (;;) {
			try {
				await request();
				return;
			} catch (error) {
				if (performance.now() > endMs) throw error;
				await new Promise((wake) => setTimeout(wake, checkPauseMs));
			}
		}
	}

	/** Since the last call. */
	#busy(): number {
		const now = performance.eventLoopUtilization();
		const { utilization } = performance.eventLoopUtilization(
			now,
			this.#busySince,
		);
		this.#busySince = now;
		return utilization;
	}
}
