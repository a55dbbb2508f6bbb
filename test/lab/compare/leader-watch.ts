import { setTimeout as sleep } from "node:timers/promises";

/** Between two questions to a node: what is shorter than this may go unseen, or count for as much. */
const pauseMs = 25;

/** How long nobody said that it leads, by what each node said last. */
export class LeaderMeter {
	readonly #leads: boolean[];
	#leaderlessMs = 0;
	#sinceMs: number | null;

	/** Nobody leads at first. */
	constructor(nodes: number, nowMs: number) {
		this.#leads = Array.from({ length: nodes }, () => false);
		this.#sinceMs = nowMs;
	}

	heard(node: number, leads: boolean, nowMs: number): void {
		this.#leads[node] = leads;
		const somebody = this.#leads.includes(true);
		if (somebody && this.#sinceMs !== null) {
			this.#leaderlessMs += nowMs - this.#sinceMs;
			this.#sinceMs = null;
		}
		if (!somebody) this.#sinceMs ??= nowMs;
	}

	/** Forgets what was so far, but not who leads. */
	begin(nowMs: number): void {
		this.#leaderlessMs = 0;
		if (this.#sinceMs !== null) this.#sinceMs = nowMs;
	}

	leaderlessMs(nowMs: number): number {
		const running = this.#sinceMs === null ? 0 : nowMs - this.#sinceMs;
		return this.#leaderlessMs + running;
	}
}

/** Whether a node says that it leads. What fails is no. */
export type Asked = () => Promise<boolean>;

/** Asks every node again and again, each at its own pace: one that is slow to answer holds no other up. */
export class LeaderWatch {
	readonly #meter: LeaderMeter;
	readonly #loops: readonly Promise<void>[];
	#ended = false;

	constructor(nodes: readonly Asked[]) {
		this.#meter = new LeaderMeter(nodes.length, performance.now());
		this.#loops = nodes.map((asked, node) => this.#follow(asked, node));
	}

	begin(): void {
		this.#meter.begin(performance.now());
	}

	/** Until it was ended. */
	async end(): Promise<number> {
		const leaderlessMs = this.#meter.leaderlessMs(performance.now());
		this.#ended = true;
		await Promise.all(this.#loops);
		return leaderlessMs;
	}

	async #follow(asked: Asked, node: number): Promise<void> {
		while (!this.#ended) {
			const leads = await asked().catch(() => false);
			this.#meter.heard(node, leads, performance.now());
			await sleep(pauseMs);
		}
	}
}
