import type { BudgetVerdict } from "../canary/budgets.js";
import type { Failure } from "../canary/tally.js";

/** What an operation did cost, as measured: part of its report and of its record, also when it failed. */
export interface OperationCost {
	/** Of the canary, as the next three; null when none ran. */
	readonly requests: number | null;
	readonly failedRequests: number | null;
	readonly slowestWriteMs: number | null;
	/** The longest time between two successful writes. */
	readonly longestStallMs: number | null;
	/** The longest time without a leader that a node saw, and all such time as the node counts it that saw the most. */
	readonly leaderlessMaxMs: number;
	readonly leaderlessTotalMs: number;
	/** Connections that a node had right before its drain, and that had left it at the end of that. */
	readonly connectionsMoved: number;
	/** In the order in which the nodes were stopped. */
	readonly downtime: readonly NodeDowntime[];
	readonly canary: CanaryCost | null;
	/** Only those with a limit. */
	readonly budgets: readonly BudgetVerdict[];
	/** A budget is exceeded, or a write was lost: a pipeline's job fails then, though everything may be done. */
	readonly overBudget: boolean;
}

export interface NodeDowntime {
	readonly node: string;
	/** From the stop until it was a full member again. */
	readonly downtimeMs: number;
	/** False: it was not, by the end of the operation. */
	readonly back: boolean;
}

export interface CanaryCost {
	readonly writes: number;
	readonly reads: number;
	/** Went well and took more than a second. */
	readonly slow: number;
	/** Its own connections that were replaced by others. */
	readonly moves: number;
	/** Acknowledged, and not seen by a later read; one sentence each. */
	readonly lostWrites: readonly string[];
	/** The first ones. */
	readonly failures: readonly Failure[];
}
