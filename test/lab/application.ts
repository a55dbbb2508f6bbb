import {
	type ClientTlsSource,
	connectRaft,
	type RaftClient,
	type Subscription,
} from "../../src/client/index.js";
import { httpCallers } from "../../src/operations/canary/caller.js";
import { until } from "./until.js";

export interface ApplicationOptions {
	/** host:port of the balancer. */
	readonly address: string;
	readonly tls?: ClientTlsSource;
	readonly writers: number;
	readonly followers: number;
}

interface Follower {
	readonly subscription: Subscription;
	readonly told: number[];
	ended: unknown;
}

const timeoutMs = 10_000;
const pauseMs = 20;
const beginLimitMs = 120_000;
const toldLimitMs = 60_000;

/**
 * An application of the bank, through the balancer: writers that never try again, so that what fails here has failed for
 * it, each reading back what was acknowledged, and followers of the events over WebSockets.
 */
export class Application {
	/** What became of these is not known. */
	readonly failures: string[] = [];
	readonly #acknowledged: number[] = [];
	#accountsBefore = 0;
	readonly #client: RaftClient;
	readonly #followers: readonly Follower[];
	#writers: readonly Promise<void>[] = [];
	#stopping = false;

	static async start(options: ApplicationOptions): Promise<Application> {
		const application = new Application(options);
		await Promise.all(
			application.#followers.map(({ subscription }) => subscription.ready),
		);
		application.#accountsBefore = await application.#accounts();
		// Not before: they are told of what comes from then on.
		application.#write(options);
		const { failures } = application;
		const isUnderWay = async () => {
			if (failures.length > 0) throw new Error(failures[0]);
			return application.#acknowledged.length > 50;
		};
		await until(isUnderWay, beginLimitMs, { what: "the first fifty writes" });
		return application;
	}

	private constructor({
		address,
		tls,
		followers,
	}: Omit<ApplicationOptions, "writers">) {
		this.#client = connectRaft({
			endpoints: [address],
			...(tls === undefined ? {} : { tls }),
		});
		this.#followers = Array.from({ length: followers }, () => {
			const told: number[] = [];
			const follower: Follower = {
				...{ told, ended: null },
				subscription: this.#client.subscribe({
					onEvent: (index) => told.push(index),
					onEnd: (error) => {
						follower.ended = error;
					},
				}),
			};
			return follower;
		});
	}

	/** How often the WebSockets have moved beyond what they had to, while `roll` restarted nodes, the first of which it returns. */
	async movesBeyond(roll: () => Promise<string>): Promise<readonly number[]> {
		const before = this.#followers.map(({ subscription: { node, moves } }) => ({
			...{ node, moves },
		}));
		const first = await roll();
		return this.#followers.map(({ subscription }, at) => {
			const { node = null, moves = 0 } = before[at] ?? {};
			// Where one that begins on the first node goes to is restarted after it.
			const owed = node === first ? 2 : 1;
			return Math.max(0, subscription.moves - moves - owed);
		});
	}

	/** Ends it, whatever has become of it. */
	async close(): Promise<void> {
		this.#stopping = true;
		await Promise.all(this.#writers);
		await this.#client.close();
	}

	/** Throws unless every acknowledged write is there, and every follower has been told of each once, in order. */
	async stop(): Promise<void> {
		this.#stopping = true;
		await Promise.all(this.#writers);
		const last = this.#acknowledged.reduce((a, b) => Math.max(a, b), 0);
		const isTold = async () =>
			this.#followers.every(
				({ subscription, ended }) => ended === null && subscription.next > last,
			);
		await until(isTold, toldLimitMs, { what: "the events of every write" });
		const accounts = (await this.#accounts()) - this.#accountsBefore;
		this.#expectAll(accounts, "in the state");
		for (const { told } of this.#followers) {
			const heard = told.filter((index) => index <= last);
			const set = new Set(heard);
			this.#expectAll(heard.length, "told of");
			if (heard.some((index, at) => at > 0 && index <= (heard[at - 1] ?? 0)))
				throw new Error("a follower was told of something twice");
			if (!this.#acknowledged.every((index) => set.has(index)))
				throw new Error("a follower was not told of what was acknowledged");
		}
	}

	/** What failed may have been done. */
	#expectAll(count: number, where: string): void {
		const [done, failed] = [this.#acknowledged.length, this.failures.length];
		if (count < done || count > done + failed)
			throw new Error(
				`${done} writes were acknowledged, ${failed} failed, and ${count} are ${where}`,
			);
	}

	async #accounts(): Promise<number> {
		const { result } = await this.#client.query(Buffer.from("{}"));
		return JSON.parse(result.toString()).accounts;
	}

	#write({ writers, ...options }: ApplicationOptions): void {
		this.#writers = Array.from({ length: writers }, (_, number) =>
			this.#writeAs(number, options),
		);
	}

	async #writeAs(
		number: number,
		{ address, tls }: Pick<ApplicationOptions, "address" | "tls">,
	): Promise<void> {
		const caller = httpCallers(tls)([address]);
		const ask = async (path: string, words: object) => {
			const limits = { timeoutMs, signal: new AbortController().signal };
			const wish = {
				method: "POST" as const,
				path,
				body: JSON.stringify(words),
			};
			const { status, body } = await caller.call(wish, limits);
			if (status !== 200) throw new Error(`${status}: ${body}`);
			return JSON.parse(body);
		};
		for (let count = 0; !this.#stopping; count++) {
			const account = `a${number}-${process.hrtime.bigint()}-${count}`;
			try {
				const words = { op: "open", account, amount: "1" };
				this.#acknowledged.push((await ask("/v1/command", words)).index);
				const { answer } = await ask("/v1/query", { account });
				if (answer?.found !== true)
					throw new Error(`${account} was acknowledged and is not there`);
			} catch (error) {
				this.failures.push(String(error));
			}
			await new Promise((wake) => setTimeout(wake, pauseMs));
		}
		caller.close();
	}
}
