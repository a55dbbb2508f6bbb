import { reasonOf } from "../../src/errors.js";
import {
	type HttpCaller,
	httpCaller,
	type TlsSource,
} from "../../src/operations/demo/http-caller.js";
import {
	type Subscribers,
	subscribe,
} from "../../src/operations/demo/subscribers.js";
import type { AcknowledgedWrite } from "../../src/operations/demo/traffic.js";
import { judgeEvents, lostOn } from "../../src/operations/demo/verification.js";
import { type Ground, pause } from "./ground.js";

const writers = 2;
const readers = 1;
const subscribers = 2;
const paceMs = 40;
/** On a busy machine the load itself stands still: a connection that was idle so long may be at its end. */
const idleLimitMs = 500;
const timeoutMs = 20_000;
const catchUpLimitMs = 60_000;

/**
 * What applications do meanwhile, through the balancer and without any retry: writers with a key for each write, readers
 * of what was acknowledged, and subscribers. Paced, so that a run of hours keeps every acknowledged write in memory.
 */
export class Load {
	readonly acknowledged: AcknowledgedWrite[] = [];
	/** With the round in which each came. */
	readonly failures: string[] = [];
	/** Failures while a node that the torture killed or stalled was mended: those that the kill explains. */
	explained = 0;
	isExplained = false;
	readonly #address: string;
	readonly #tls: TlsSource | undefined;
	readonly #round: () => string;
	readonly #loops: Promise<void>[];
	readonly #subscribers: Subscribers;
	#isOver = false;

	static async start(ground: Ground, round: () => string): Promise<Load> {
		const { balancer, tls } = ground;
		const ca = tls === undefined ? {} : { tls: () => ({ ca: tls().ca }) };
		const wish = { address: balancer, count: subscribers, ...ca };
		return new Load(wish, round, await subscribe(wish));
	}

	private constructor(
		{ address, tls }: { readonly address: string; readonly tls?: TlsSource },
		round: () => string,
		followers: Subscribers,
	) {
		this.#address = address;
		this.#tls = tls;
		this.#round = round;
		this.#subscribers = followers;
		this.#loops = [
			...range(writers).map((number) =>
				this.#loop(`writer ${number}`, (caller, count) =>
					this.#write(caller, `w${number}/${count}`),
				),
			),
			...range(readers).map((number) =>
				this.#loop(`reader ${number}`, (caller, count) =>
					this.#read(caller, count),
				),
			),
		];
	}

	/** Ends it; subscribers first hear all that was acknowledged. Returns what is wrong with what they heard. */
	async stop(): Promise<string[]> {
		this.#isOver = true;
		await Promise.all(this.#loops);
		try {
			await this.#subscribers.caughtUp(this.#newestIndex(), catchUpLimitMs);
		} finally {
			await this.#subscribers.close();
		}
		const indexes = new Set(this.acknowledged.map(({ index }) => index));
		return this.#subscribers.all.flatMap(({ received, failure }, number) => {
			if (failure !== null) return [`subscriber ${number} ended: ${failure}`];
			const { missed, doubled } = judgeEvents(received, indexes);
			if (missed === 0 && doubled === 0) return [];
			return [
				`subscriber ${number}: ${missed} events missed, ${doubled} doubled`,
			];
		});
	}

	/** Every write acknowledged so far, from this node's own copy: those that are not there. */
	async lostOn(client: string): Promise<string[]> {
		const known = [...this.acknowledged];
		const minIndex = this.#newestIndex();
		const tls = this.#tls === undefined ? {} : { tls: this.#tls };
		return await lostOn(client, known, { minIndex, timeoutMs, ...tls });
	}

	/** Writers acknowledge at about the same time: the newest is among the last few. */
	#newestIndex(): number {
		const last = this.acknowledged.slice(-10 * writers);
		return Math.max(0, ...last.map(({ index }) => index));
	}

	async #write(caller: HttpCaller, key: string): Promise<void> {
		const value = `value of ${key}`;
		const put = { op: "put", key, value };
		const { index } = await caller.post("/v1/command", put);
		this.acknowledged.push({ key, value, index: Number(index) });
	}

	async #read(caller: HttpCaller, turn: number): Promise<void> {
		const { length } = this.acknowledged;
		const expected = this.acknowledged[length - 1 - (turn % length)];
		if (expected === undefined) return;
		const get = { op: "get", key: expected.key };
		const { answer } = await caller.post("/v1/query", get);
		if ((answer as { value?: string }).value !== expected.value)
			throw new Error(`stale: ${expected.key} is ${JSON.stringify(answer)}`);
	}

	async #loop(
		name: string,
		turn: (caller: HttpCaller, count: number) => Promise<void>,
	): Promise<void> {
		const open = () => httpCaller(this.#address, timeoutMs, this.#tls);
		let caller = open();
		let usedAtMs = performance.now();
		for (let count = 0; !this.#isOver; count++) {
			if (performance.now() - usedAtMs > idleLimitMs) {
				caller.close();
				caller = open();
			}
			const beganExplained = this.isExplained;
			await turn(caller, count).catch((error: unknown) => {
				if (beganExplained || this.isExplained) this.explained++;
				else
					this.failures.push(`${this.#round()}: ${name}: ${reasonOf(error)}`);
			});
			usedAtMs = performance.now();
			await pause(paceMs);
		}
		caller.close();
	}
}

function range(count: number): number[] {
	return Array.from({ length: count }, (_, number) => number);
}
