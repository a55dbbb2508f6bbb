import type { NodeDowntime } from "./cost.js";

interface Outage {
	readonly node: string;
	readonly sinceMs: number;
	/** Null while it is down. */
	untilMs: number | null;
}

/** What the steps themselves know of their cost; times are the clock's milliseconds. */
export class CostLedger {
	connectionsMoved = 0;
	readonly #open = new Map<string, number>();
	readonly #outages: Outage[] = [];

	/** The node is about to be asked to stop. */
	stopping(node: string, atMs: number): void {
		this.#outages.push({ node, sinceMs: atMs, untilMs: null });
	}

	/** It is a full member again. The first time counts. */
	ready(node: string, atMs: number): void {
		const outage = this.#outages.findLast((one) => one.node === node);
		if (outage !== undefined) outage.untilMs ??= atMs;
	}

	/** It had so many connections when it was last seen before its drain. */
	seen(node: string, connections: number): void {
		this.#open.set(node, connections);
	}

	/** Those have left it. */
	moved(node: string): void {
		this.connectionsMoved += this.#open.get(node) ?? 0;
		this.#open.delete(node);
	}

	downtime(nowMs: number): readonly NodeDowntime[] {
		return this.#outages.map(({ node, sinceMs, untilMs }) => ({
			node,
			downtimeMs: Math.round((untilMs ?? nowMs) - sinceMs),
			back: untilMs !== null,
		}));
	}
}
