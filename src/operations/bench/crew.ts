import { Worker } from "node:worker_threads";
import { Hand } from "./hand.js";
import type {
	LoadFailure,
	LoadOrder,
	Loop,
	Sample,
	ThreadWish,
} from "./load.js";

/** All threads of a load, told as one. Each call rejects with LoadError where a thread could not do it. */
export interface Crew {
	look(): Promise<void>;
	check(): Promise<void>;
	fill(): Promise<void>;
	begin(loop: Loop): Promise<void>;
	mark(): Promise<void>;
	/** Of every thread one. */
	take(): Promise<readonly Sample[]>;
	stop(): Promise<void>;
	remove(): Promise<number>;
	close(): Promise<void>;
}

export type OpenCrew = (
	wish: Omit<ThreadWish, "index" | "of">,
	threads: number,
) => Promise<Crew>;

export class LoadError extends Error {
	/** As requests fail. */
	readonly kind: string;

	constructor({ kind, message }: LoadFailure) {
		super(message);
		this.kind = kind;
	}
}

export interface ThreadOrder {
	readonly number: number;
	readonly order: LoadOrder;
}

export type ThreadAnswer = { readonly number: number } & (
	| { readonly result: unknown }
	| { readonly failure: LoadFailure }
);

/** Who carries orders out; `worker.ts` on its own thread, or, run from source, this one. */
interface Doer {
	obey(order: LoadOrder): Promise<unknown>;
	end(): Promise<unknown>;
}

const besideThis = import.meta.url.endsWith(".ts")
	? null
	: new URL("./worker.js", import.meta.url);

export const openCrew: OpenCrew = async (wish, threads) => {
	const doers = await Promise.all(
		Array.from({ length: threads }, (_, index) => {
			const own = { ...wish, index, of: threads };
			return besideThis === null ? doerHere(own) : new Thread(besideThis, own);
		}),
	);
	const all = (order: LoadOrder) =>
		Promise.all(doers.map((doer) => doer.obey(order)));
	const first = (order: LoadOrder) => (doers[0] as Doer).obey(order);
	return {
		look: async () => void (await first("look")),
		check: async () => void (await first("check")),
		fill: async () => void (await all("fill")),
		begin: async (loop) => void (await all({ begin: loop })),
		mark: async () => void (await all("mark")),
		take: async () => (await all("take")) as Sample[],
		stop: async () => void (await all("stop")),
		remove: async () => (await first("remove")) as number,
		async close() {
			await all("close").catch(() => {});
			await Promise.all(doers.map((doer) => doer.end()));
		},
	};
};

async function doerHere(wish: ThreadWish): Promise<Doer> {
	const hand = await Hand.open(wish);
	return {
		obey: (order) =>
			hand.obey(order).catch((error: Error) => {
				const { message } = error;
				throw new LoadError({ kind: hand.kindOf(error), message });
			}),
		end: async () => {},
	};
}

interface Waiting {
	resolve(result: unknown): void;
	reject(error: Error): void;
}

class Thread implements Doer {
	readonly #worker: Worker;
	readonly #waiting = new Map<number, Waiting>();
	#last = 0;
	#failure: Error | null = null;

	constructor(url: URL, wish: ThreadWish) {
		this.#worker = new Worker(url, { workerData: wish, name: "load" });
		this.#worker.on("message", (answer: ThreadAnswer) => this.#hear(answer));
		this.#worker.on("error", (error) => this.#fail(error));
		this.#worker.on("exit", () =>
			this.#fail(new Error("a thread of the load has ended")),
		);
	}

	obey(order: LoadOrder): Promise<unknown> {
		if (this.#failure !== null) return Promise.reject(this.#failure);
		const number = ++this.#last;
		return new Promise((resolve, reject) => {
			this.#waiting.set(number, { resolve, reject });
			this.#worker.postMessage({ number, order } satisfies ThreadOrder);
		});
	}

	end(): Promise<unknown> {
		return this.#worker.terminate();
	}

	#hear(answer: ThreadAnswer): void {
		const waiting = this.#waiting.get(answer.number);
		this.#waiting.delete(answer.number);
		if ("failure" in answer) waiting?.reject(new LoadError(answer.failure));
		else waiting?.resolve(answer.result);
	}

	#fail(error: Error): void {
		this.#failure ??= error;
		for (const { reject } of this.#waiting.values()) reject(error);
		this.#waiting.clear();
	}
}
