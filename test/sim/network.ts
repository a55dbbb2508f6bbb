import type { Message } from "../../src/raft/types.js";
import type { Coverage } from "./coverage.js";
import { EventKind, type EventQueue } from "./event-queue.js";
import type { SimNode } from "./node.js";
import type { WorldOptions } from "./options.js";
import type { Random } from "./random.js";

/** Links between all nodes, each direction on its own: they lose, delay, reorder, double, and can be cut. */
export class Network {
	readonly #options: WorldOptions["network"];
	readonly #random: Random;
	readonly #queue: EventQueue;
	readonly #nodes: readonly SimNode[];
	readonly #positions = new Map<string, number>();
	readonly #coverage: Coverage;
	/** How many cuts lie on each direction: overlapping faults end one by one. */
	readonly #cuts: Int32Array;
	readonly #lastArrivalMs: Float64Array;
	/** Off after healing: nothing is lost, doubled or held up any more. */
	#faulty = true;

	constructor(options: {
		readonly options: WorldOptions["network"];
		readonly random: Random;
		readonly queue: EventQueue;
		readonly nodes: readonly SimNode[];
		readonly coverage: Coverage;
	}) {
		this.#options = options.options;
		this.#random = options.random;
		this.#queue = options.queue;
		this.#nodes = options.nodes;
		this.#coverage = options.coverage;
		const links = options.nodes.length ** 2;
		this.#cuts = new Int32Array(links);
		this.#lastArrivalMs = new Float64Array(links);
		for (const node of options.nodes)
			this.#positions.set(node.id, node.position);
	}

	/** Cuts one direction; returns what ends this cut. */
	cut(from: SimNode, to: SimNode): () => void {
		const link = this.#link(from, to);
		this.#cuts[link] = (this.#cuts[link] as number) + 1;
		return () => {
			this.#cuts[link] = Math.max(0, (this.#cuts[link] as number) - 1);
		};
	}

	/** Both directions between two nodes work again. */
	join(a: SimNode, b: SimNode): void {
		this.#cuts[this.#link(a, b)] = 0;
		this.#cuts[this.#link(b, a)] = 0;
	}

	/** Links that are not cut lose, double and hold up nothing any more. */
	calm(): void {
		this.#faulty = false;
	}

	send(message: Message, from: SimNode, nowMs: number): void {
		const to = this.#nodes[this.#positions.get(message.to) ?? -1];
		if (to === undefined) throw new Error(`nobody is called ${message.to}`);
		const link = this.#link(from, to);
		const random = this.#random;
		const { dropChance, duplicateChance } = this.#options;
		if (
			this.#cuts[link] !== 0 ||
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
			arrivalMs += random.exponential(jitterMs);
			if (random.chance(slowChance)) arrivalMs += random.next() * slowMs;
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
		return from.position * this.#nodes.length + to.position;
	}
}
