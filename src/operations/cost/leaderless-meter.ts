import type { NodeStatus } from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";

export interface LeaderlessTime {
	/** The longest time without a leader that any node saw while the operation ran; at most that, when not known exactly. */
	readonly maxMs: number;
	/** All such time together, as the node that saw the most counts it. */
	readonly totalMs: number;
}

/**
 * What the nodes themselves measured while an operation ran. Each process counts from its own start, so only the growth
 * between two looks at the same process counts; the time a fresh process takes to find its leader does not.
 */
export class LeaderlessMeter {
	readonly #processes = new Map<
		string,
		{ node: string; first: NodeStatus; last: NodeStatus }
	>();

	observe(facts: ClusterFacts): void {
		for (const { id, status } of facts.nodes) {
			if (status === null) continue;
			const key = `${id}/${status.processId}`;
			const known = this.#processes.get(key);
			if (known !== undefined) known.last = status;
			// A process that has not found its leader yet is still starting.
			else if (status.leader !== null)
				this.#processes.set(key, { node: id, first: status, last: status });
		}
	}

	leaderless(): LeaderlessTime {
		const totals = new Map<string, number>();
		let maxMs = 0;
		for (const { node, first, last } of this.#processes.values()) {
			const grown = last.leaderlessTotalMs - first.leaderlessTotalMs;
			const longest =
				last.leaderlessMaxMs > first.leaderlessMaxMs
					? last.leaderlessMaxMs
					: Math.min(last.leaderlessMaxMs, grown);
			maxMs = Math.max(maxMs, longest);
			totals.set(node, (totals.get(node) ?? 0) + grown);
		}
		return { maxMs, totalMs: Math.max(0, ...totals.values()) };
	}
}
