import type { SimNode } from "./node.js";
import { demand } from "./violation.js";

export const EventKind = {
	tick: 0,
	/** The driver's loop comes round and handles what the core has ready. */
	turn: 1,
	deliver: 2,
	disk: 3,
	apply: 4,
	fetched: 5,
	unreachable: 6,
	/** A node's own work: a function. */
	work: 7,
	/** A function of nobody's: faults and clients, which are rare. */
	call: 8,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

export interface SimEvent {
	atMs: number;
	/** Breaks ties, so that equal times have one order. */
	order: number;
	kind: EventKind;
	node: SimNode | null;
	/** The incarnation of the node that this belongs to; a crash makes it void. */
	epoch: number;
	payload: unknown;
}

/**
 * More than ever are under way: some hundreds are. Nodes that answer each other ever more often would fill the machine's
 * memory instead of ending.
 */
const maxEvents = 20_000;

/** What is still to happen, the earliest first: a binary heap that reuses its event objects. */
export class EventQueue {
	readonly #heap: SimEvent[] = [];
	readonly #free: SimEvent[] = [];
	#order = 0;

	get size(): number {
		return this.#heap.length;
	}

	schedule(
		atMs: number,
		kind: EventKind,
		node: SimNode | null,
		payload: unknown,
	): void {
		const event = this.#free.pop() ?? {
			atMs: 0,
			order: 0,
			kind,
			node,
			epoch: 0,
			payload,
		};
		event.atMs = atMs;
		event.order = this.#order++;
		event.kind = kind;
		event.node = node;
		event.epoch = node === null ? 0 : node.epoch;
		event.payload = payload;
		this.#rise(event);
	}

	/** The earliest event, if it is due by then. */
	pop(untilMs: number): SimEvent | undefined {
		const first = this.#heap[0];
		if (first === undefined || first.atMs > untilMs) return undefined;
		const last = this.#heap.pop() as SimEvent;
		if (this.#heap.length > 0) this.#sink(last);
		return first;
	}

	/** Gives a popped event back for reuse; nobody may hold on to it. */
	release(event: SimEvent): void {
		event.payload = null;
		event.node = null;
		this.#free.push(event);
	}

	#rise(event: SimEvent): void {
		const heap = this.#heap;
		demand(
			heap.length < maxEvents,
			"flood",
			() => `${maxEvents} events are under way at once`,
		);
		let at = heap.length;
		heap.push(event);
		while (at > 0) {
			const parentAt = (at - 1) >> 1;
			const parent = heap[parentAt] as SimEvent;
			if (!isBefore(event, parent)) break;
			heap[at] = parent;
			at = parentAt;
		}
		heap[at] = event;
	}

	#sink(event: SimEvent): void {
		const heap = this.#heap;
		let at = 0;
		for (;;) {
			let childAt = 2 * at + 1;
			if (childAt >= heap.length) break;
			const right = heap[childAt + 1];
			if (right !== undefined && isBefore(right, heap[childAt] as SimEvent))
				childAt++;
			const child = heap[childAt] as SimEvent;
			if (!isBefore(child, event)) break;
			heap[at] = child;
			at = childAt;
		}
		heap[at] = event;
	}
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
	return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
