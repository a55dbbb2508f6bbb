import { Arrivals } from "./arrivals.js";
import { LatencyHistogram } from "./latency-histogram.js";
import type { Loop, RequestWish, Sample } from "./load.js";
import type { Target } from "./target.js";

/** Between two looks at what is due; the latency shows it, as it counts from when a request was due. */
const tickMs = 1;
/** Of one look: answers come in between. */
const maxPerTick = 5_000;
/** Open loop, of one thread: beyond it a request is not sent, and counted as "too-many". */
const maxUnderWay = 200_000;
/** A client whose request failed waits, so that one that fails at once does not fail a million times. */
const afterErrorMs = 10;
/** Writes under way at once while keys are filled. */
const fillsAtOnce = 128;
const fillAttempts = 20;
const fillPauseMs = 100;

interface Share {
	readonly index: number;
	readonly of: number;
}

/** The load of one thread. Decides when a request begins, and counts what comes of it; sends nothing itself. */
export class Generator {
	readonly #target: Target;
	readonly #wish: RequestWish;
	readonly #share: Share;
	readonly #value: Uint8Array;
	readonly #writes = new LatencyHistogram();
	readonly #reads = new LatencyHistogram();
	readonly #service = new LatencyHistogram();
	readonly #late = new LatencyHistogram();
	#errors: Record<string, number> = {};
	#answered = 0;
	/** Requests of an earlier one are not counted. */
	#phase = 0;
	#underWay = 0;
	#loops: readonly Promise<void>[] = [];
	#timer: NodeJS.Timeout | null = null;
	#stopping = true;
	/** Who waits for the last answer. */
	#idle: (() => void)[] = [];

	constructor(target: Target, wish: RequestWish, share: Share) {
		this.#target = target;
		this.#wish = wish;
		this.#share = share;
		this.#value = new Uint8Array(wish.bytes).fill(120);
	}

	begin(loop: Loop): void {
		this.#stopping = false;
		if (loop.mode === "open") this.#open(loop.perSecond);
		else
			this.#loops = Array.from({ length: this.#part(loop.clients) }, () =>
				this.#client(),
			);
	}

	/** What was begun before counts no more. */
	mark(): void {
		this.#phase++;
		this.take();
	}

	/** What was answered since the last call. */
	take(): Omit<Sample, "busy"> {
		const sample = {
			answered: this.#answered,
			writes: this.#writes.take(),
			reads: this.#reads.take(),
			service: this.#service.take(),
			late: this.#late.take(),
			errors: this.#errors,
		};
		this.#answered = 0;
		this.#errors = {};
		return sample;
	}

	/** Begins nothing more. Resolves when everything was answered, or its time is over. */
	async stop(): Promise<void> {
		this.#stopping = true;
		if (this.#timer !== null) clearInterval(this.#timer);
		this.#timer = null;
		await Promise.all(this.#loops);
		this.#loops = [];
		if (this.#underWay > 0)
			await new Promise<void>((resolve) => {
				this.#idle.push(resolve);
			});
	}

	/** Writes each of this thread's keys once, also against a few refusals; `stop` ends it. */
	async fill(): Promise<void> {
		this.#stopping = false;
		let next = this.#share.index;
		const writer = async () => {
			while (!this.#stopping && next < this.#wish.keys) {
				const key = this.#key(next);
				next += this.#share.of;
				await this.#persist(key);
			}
		};
		await Promise.all(Array.from({ length: fillsAtOnce }, writer));
	}

	async #persist(key: string): Promise<void> {
		for (let attempt = 1; ; attempt++) {
			try {
				await this.#target.put(key, this.#value);
				return;
			} catch (error) {
				if (attempt === fillAttempts) throw error;
				await pause(fillPauseMs);
			}
		}
	}

	async #client(): Promise<void> {
		while (!this.#stopping) {
			const isDone = await this.#request(null);
			if (!isDone) await pause(afterErrorMs);
		}
	}

	#open(perSecond: number): void {
		const share = { perSecond, ...this.#share };
		const arrivals = new Arrivals(share, performance.now());
		this.#timer = setInterval(() => {
			for (const dueMs of arrivals.take(performance.now(), maxPerTick)) {
				if (this.#underWay < maxUnderWay) void this.#request(dueMs);
				else this.#fail("too-many");
			}
		}, tickMs);
	}

	/** `dueMs`: null in a closed loop. Whether it went well; never rejects. */
	async #request(dueMs: number | null): Promise<boolean> {
		const phase = this.#phase;
		const { reads, keys } = this.#wish;
		const isRead = reads > 0 && Math.random() < reads;
		const key = this.#key(Math.floor(Math.random() * keys));
		const sentMs = performance.now();
		this.#underWay++;
		try {
			if (isRead) await this.#target.get(key);
			else await this.#target.put(key, this.#value);
			const nowMs = performance.now();
			this.#answered++;
			if (phase === this.#phase) {
				const latencies = isRead ? this.#reads : this.#writes;
				latencies.record(nowMs - (dueMs ?? sentMs));
				if (dueMs !== null) {
					this.#service.record(nowMs - sentMs);
					this.#late.record(sentMs - dueMs);
				}
			}
			return true;
		} catch (error) {
			if (phase === this.#phase) this.#fail(this.#target.kindOf(error));
			return false;
		} finally {
			this.#underWay--;
			if (this.#underWay === 0) for (const tell of this.#idle.splice(0)) tell();
		}
	}

	#fail(kind: string): void {
		this.#errors[kind] = (this.#errors[kind] ?? 0) + 1;
	}

	#key(number: number): string {
		return `${this.#wish.prefix}${number}`;
	}

	/** This thread's part of so many. */
	#part(count: number): number {
		const { index, of } = this.#share;
		return Math.ceil((count - index) / of);
	}
}

function pause(ms: number): Promise<void> {
	return new Promise((wake) => setTimeout(wake, ms));
}
