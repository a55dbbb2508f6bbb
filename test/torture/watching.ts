import { EventsGoneError, type RaftClient } from "../../src/client/index.js";
import type { Told, Watch } from "./linearizability/watch.js";
import type { Change } from "./words.js";

/** One subscriber: follows all changes from the first on, and begins anew where it is told that events are gone. */
export class Watcher {
	readonly #name: string;
	readonly #client: RaftClient;
	readonly #ended: Watch[] = [];
	#from = 1;
	/** The last index that it was told to have been told of. */
	#to = 0;
	#events: Told[] = [];
	#closed = false;
	/** How often it had to begin anew. */
	gaps = 0;

	constructor(name: string, client: RaftClient) {
		this.#name = name;
		this.#client = client;
		this.#subscribe(1);
	}

	get told(): number {
		return this.#to;
	}

	/** What it was told, one for each time without a gap. */
	watches(): Watch[] {
		return [...this.#ended, this.#watch()];
	}

	async close(): Promise<void> {
		this.#closed = true;
		await this.#client.close();
	}

	#subscribe(from: number): void {
		this.#from = from;
		this.#to = from - 1;
		this.#events = [];
		this.#client.subscribe({
			from,
			onEvent: (index, event) => {
				const { id } = event as Change;
				this.#events.push({ index, id, text: JSON.stringify(event) });
				this.#to = Math.max(this.#to, index);
			},
			onProgress: (index) => {
				this.#to = Math.max(this.#to, index);
			},
			onEnd: (error) => {
				if (this.#closed) return;
				this.#ended.push(this.#watch());
				if (error instanceof EventsGoneError) {
					this.gaps++;
					this.#subscribe(error.oldestIndex);
				} else throw error ?? new Error(`${this.#name} was ended by nobody`);
			},
		});
	}

	#watch(): Watch {
		return {
			...{ subscriber: this.#name, from: this.#from, to: this.#to },
			events: this.#events,
		};
	}
}
