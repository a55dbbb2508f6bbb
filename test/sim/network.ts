import type { Message } from "../../src/raft/types.js";
import type { Coverage } from "./coverage.js";
import { EventKind, type EventQueue } from "./event-queue.js";
import type { SimNode } from "./node.js";
import type { WorldOptions } from "./options.js";
import type { Random } from "./random.js";

/** How many processes a run may have, one after another. */
export const maxProcesses = 64;

/** Links between all nodes, each direction on its own: they lose, delay, reorder, double, and can be cut. */
export class Network {
	readonly #options: WorldOptions["network"];
	readonly #random: Random;
	readonly #queue: EventQueue;
	readonly #processes: ReadonlyMap<string, SimNode>;
	readonly #checksIncarnations: boolean;
	readonly #coverage: Coverage;
	/** How many cuts lie on each direction: overlapping faults end one by one. */
	readonly #cuts = new Int32Array(maxProcesses ** 2);
	/** How much later than usual what is sent on each direction arrives. */
	readonly #lagsMs = new Float64Array(maxProcesses ** 2);
	/** How many cuts lie on each direction that only entries do not pass. */
	readonly #narrows = new Int32Array(maxProcesses ** 2);
	/** The same for what asks somebody to campaign, alone. */
	readonly #transferLagsMs = new Float64Array(maxProcesses ** 2);
	readonly #lastArrivalMs = new Float64Array(maxProcesses ** 2);
	/** Off after healing: nothing is lost, doubled or held up any more. */
	#faulty = true;

	constructor(options: {
		readonly options: WorldOptions["network"];
		readonly random: Random;
		readonly queue: EventQueue;
		/** Who answers to which name now. */
		readonly processes: ReadonlyMap<string, SimNode>;
		readonly checksIncarnations: boolean;
		readonly coverage: Coverage;
	}) {
		this.#options = options.options;
		this.#random = options.random;
		this.#queue = options.queue;
		this.#processes = options.processes;
		this.#checksIncarnations = options.checksIncarnations;
		this.#coverage = options.coverage;
	}

	/** Cuts one direction; returns what ends this cut. */
	cut(from: SimNode, to: SimNode): () => void {
		const link = this.#link(from, to);
		this.#cuts[link] = (this.#cuts[link] as number) + 1;
		return () => {
			this.#cuts[link] = Math.max(0, (this.#cuts[link] as number) - 1);
		};
	}

	/** Loses all entries in one direction, as a link does that large packets do not pass; returns what ends that. */
	narrow(from: SimNode, to: SimNode): () => void {
		const link = this.#link(from, to);
		this.#narrows[link] = (this.#narrows[link] as number) + 1;
		return () => {
			this.#narrows[link] = Math.max(0, (this.#narrows[link] as number) - 1);
		};
	}

	/** Holds up one direction by so much; returns what ends that. */
	lag(from: SimNode, to: SimNode, lagMs: number): () => void {
		const link = this.#link(from, to);
		this.#lagsMs[link] = lagMs;
		return () => {
			this.#lagsMs[link] = 0;
		};
	}

	/** Holds up what `from` asks of `to` when it hands over leadership, and nothing else; returns what ends that. */
	lagTransfers(from: SimNode, to: SimNode, lagMs: number): () => void {
		const link = this.#link(from, to);
		this.#transferLagsMs[link] = lagMs;
		return () => {
			this.#transferLagsMs[link] = 0;
		};
	}

	/** When all that was sent has arrived: what asks somebody to campaign may be held up for long. */
	get latestArrivalMs(): number {
		return this.#lastArrivalMs.reduce((latest, atMs) => Math.max(latest, atMs));
	}

	/** Whether both directions between two nodes work, and each knows the other. */
	connects(a: SimNode, b: SimNode): boolean {
		return (
			this.#cuts[this.#link(a, b)] === 0 &&
			this.#cuts[this.#link(b, a)] === 0 &&
			!this.#refuses(a, b)
		);
	}

	/** One of two has lost its disk: it is not who the other knows by this name (P31). */
	#refuses(a: SimNode, b: SimNode): boolean {
		return this.#checksIncarnations && (a.forgetful || b.forgetful);
	}

	/** Both directions between two nodes work again. */
	join(a: SimNode, b: SimNode): void {
		this.#cuts[this.#link(a, b)] = 0;
		this.#cuts[this.#link(b, a)] = 0;
	}

	/**
	 * Links that are not cut lose, double and hold up nothing any more. Those that only entries did not pass are whole, too:
	 * a leader that is heard by all, and can give nobody an entry, leads on.
	 */
	calm(): void {
		this.#faulty = false;
		this.#narrows.fill(0);
	}

	send(message: Message, from: SimNode, nowMs: number): void {
		const to = this.#processes.get(message.to);
		if (to === undefined) throw new Error(`nobody is called ${message.to}`);
		if (this.#refuses(from, to)) {
			this.#coverage.incarnationsRefused++;
			return;
		}
		const link = this.#link(from, to);
		const random = this.#random;
		const { dropChance, duplicateChance } = this.#options;
		if (
			this.#cuts[link] !== 0 ||
			(this.#narrows[link] !== 0 && hasEntries(message)) ||
			(this.#faulty && random.chance(dropChance)) ||
			to.raft === null
		) {
			this.#coverage.dropped++;
			this.#report(from, to, nowMs);
			return;
		}
		this.#deliver(message, to, link, nowMs);
		if (this.#faulty && random.chance(duplicateChance)) {
			this.#coverage.duplicated++;
			this.#deliver(message, to, link, nowMs);
		}
	}

	#deliver(message: Message, to: SimNode, link: number, nowMs: number): void {
		const { baseMs, jitterMs, slowChance, slowMs, fifo } = this.#options;
		const random = this.#random;
		let arrivalMs = nowMs + baseMs;
		if (this.#faulty) {
			arrivalMs += random.exponential(jitterMs) + (this.#lagsMs[link] ?? 0);
			if (random.chance(slowChance)) arrivalMs += random.next() * slowMs;
			if (message.type === "timeout-now")
				arrivalMs += this.#transferLagsMs[link] as number;
		}
		const lastMs = this.#lastArrivalMs[link] as number;
		if (arrivalMs < lastMs) {
			if (fifo) arrivalMs = lastMs;
			else this.#coverage.reordered++;
		}
		this.#lastArrivalMs[link] = Math.max(arrivalMs, lastMs);
		this.#queue.schedule(arrivalMs, EventKind.deliver, to, message);
	}

	#report(from: SimNode, to: SimNode, nowMs: number): void {
		if (!this.#random.chance(this.#options.reportChance)) return;
		this.#coverage.unreachableReports++;
		const atMs = nowMs + this.#random.exponential(this.#options.baseMs);
		this.#queue.schedule(atMs, EventKind.unreachable, from, to.id);
	}

	#link(from: SimNode, to: SimNode): number {
		return from.position * maxProcesses + to.position;
	}
}

function hasEntries(message: Message): boolean {
	return message.type === "append-request" && message.entries.length > 0;
}
