import type { Message } from "../../../src/raft/types.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/**
 * What a leader tells of the cluster's commit index as of some time is no less than what the cluster had committed at
 * that time, whoever led then (P41). By the world's own time: the leader's clock may run as it likes.
 */
export class CurrentRules {
	readonly #nowMs: () => number;
	/** When each index was first known to be committed, by the world's time; index i at i - 1. Rising. */
	readonly #committedMs: number[] = [];

	constructor(nowMs: () => number) {
		this.#nowMs = nowMs;
	}

	/** The next index is committed. */
	committed(): void {
		this.#committedMs.push(this.#nowMs());
	}

	/** The core says something, now or once the disk is ready. */
	said(node: SimNode, message: Message): void {
		if (message.type !== "heartbeat") return;
		const { stamp, currentStamp, currentCommit } = message;
		if (currentStamp === 0) {
			demand(
				currentCommit === 0,
				"current-commit",
				() => `${node.id} tells of ${currentCommit} as of no time`,
			);
			return;
		}
		const then = this.#committedBefore(node.clock.worldMsAt(currentStamp));
		demand(
			currentStamp <= stamp && currentCommit >= then,
			"current-commit",
			() =>
				`${node.id} tells at ${stamp} that ${currentCommit} was committed when its clock showed ${currentStamp}; ${then} was`,
		);
	}

	/** How much was committed before that time. */
	#committedBefore(worldMs: number): number {
		let low = 0;
		let high = this.#committedMs.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#committedMs[middle] as number) < worldMs) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
