import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../../src/errors.js";
import {
	type HttpCaller,
	httpCaller,
	type TlsSource,
} from "../../../src/operations/demo/http-caller.js";
import {
	type Subscribers,
	subscribe,
} from "../../../src/operations/demo/subscribers.js";
import type { AcknowledgedWrite } from "../../../src/operations/demo/traffic.js";
import { judgeEvents } from "../../../src/operations/demo/verification.js";
import { until } from "../until.js";

export interface LoadOptions {
	/** host:port of the balancer. */
	readonly address: string;
	readonly tls?: TlsSource;
	/** Part of every key: each load writes keys of its own. */
	readonly name: string;
}

const writers = 4;
const subscribers = 4;
const pauseMs = 60;
const timeoutMs = 10_000;
const beginLimitMs = 120_000;
const toldLimitMs = 60_000;
/** How many failures keep their text. */
const maxFailureTexts = 5;

/**
 * What applications do during one operation, through the balancer: writers that send nothing twice, each reading back what
 * was acknowledged, and followers of the events.
 */
export class Load {
	readonly acknowledged: AcknowledgedWrite[] = [];
	requests = 0;
	failed = 0;
	/** Of the writes that were acknowledged. */
	slowestMs = 0;
	readonly failures: string[] = [];
	/** What was acknowledged and could not be read back. */
	readonly #unread: string[] = [];
	readonly #subscribers: Subscribers;
	readonly #writers: readonly Promise<void>[];
	#isOver = false;

	/** Resolves when all of it is under way. */
	static async start(options: LoadOptions): Promise<Load> {
		const { address, tls } = options;
		const load = new Load(
			options,
			await subscribe({
				...{ address, count: subscribers },
				...(tls === undefined ? {} : { tls }),
			}),
		);
		const isUnderWay = async () => load.acknowledged.length > 5 * writers;
		await until(isUnderWay, beginLimitMs, { what: "the first writes" });
		load.requests = 0;
		load.failed = 0;
		load.slowestMs = 0;
		load.failures.length = 0;
		return load;
	}

	private constructor(options: LoadOptions, followers: Subscribers) {
		this.#subscribers = followers;
		this.#writers = Array.from({ length: writers }, (_, number) =>
			this.#writeAs(number, options),
		);
	}

	/** Ends it. Returns what was acknowledged in vain, and what is wrong with what the followers were told. */
	async stop(): Promise<readonly string[]> {
		await this.#ended();
		return [...this.#unread, ...(await this.#untold())];
	}

	/** Ends it, whatever has become of it. */
	async close(): Promise<void> {
		await this.#ended();
		await this.#subscribers.close();
	}

	async #untold(): Promise<readonly string[]> {
		try {
			const last = this.acknowledged.reduce(
				(most, { index }) => Math.max(most, index),
				0,
			);
			await this.#subscribers.caughtUp(last, toldLimitMs);
		} catch (error) {
			return [reasonOf(error)];
		} finally {
			await this.#subscribers.close();
		}
		const indexes = new Set(this.acknowledged.map(({ index }) => index));
		return this.#subscribers.all.flatMap(({ received, failure }) => {
			if (failure !== null) return [`a WebSocket ended: ${failure}`];
			const { missed, doubled } = judgeEvents(received, indexes);
			return missed + doubled === 0
				? []
				: [`a WebSocket missed ${missed} events, ${doubled} came twice`];
		});
	}

	async #ended(): Promise<void> {
		this.#isOver = true;
		await Promise.all(this.#writers);
	}

	async #writeAs(
		number: number,
		{ address, tls, name }: LoadOptions,
	): Promise<void> {
		const caller = httpCaller(address, timeoutMs, tls);
		for (let count = 0; !this.#isOver; count++) {
			await this.#turn(caller, `w${name}-${number}/${count}`);
			await sleep(pauseMs);
		}
		caller.close();
	}

	async #turn(caller: HttpCaller, key: string): Promise<void> {
		const value = `value of ${key}`;
		try {
			this.requests++;
			const sinceMs = performance.now();
			const put = { op: "put", key, value };
			const { index } = await caller.post("/v1/command", put);
			this.slowestMs = Math.max(this.slowestMs, performance.now() - sinceMs);
			this.acknowledged.push({ key, value, index: Number(index) });
			this.requests++;
			const { answer } = await caller.post("/v1/query", { op: "get", key });
			if ((answer as { value?: string }).value !== value)
				this.#unread.push(`${key} was acknowledged and not there when read`);
		} catch (error) {
			this.failed++;
			if (this.failures.length < maxFailureTexts)
				this.failures.push(reasonOf(error));
		}
	}
}
