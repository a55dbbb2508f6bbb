import type { OperationCost } from "../cost/cost.js";
import type { LeaderlessTime } from "../cost/leaderless-meter.js";
import type { PlannedStep } from "../events.js";
import type { Transfer } from "../steps/leadership.js";

/** What a roll did and what it did cost, as measured; `raftctl rolling-restart --json` prints it. */
export interface RollReport extends RollOutcome {
	readonly operation: string;
	readonly cluster: string;
	readonly plan: readonly PlannedStep[];
	/** Null of one that was only planned. */
	readonly cost: OperationCost | null;
	readonly durationMs: number;
}

/** What the roll itself has to say. */
export interface RollOutcome {
	/** True: only the plan was made. */
	readonly dryRun: boolean;
	/** In the order in which they were restarted. */
	readonly nodes: readonly NodeCost[];
	readonly transfers: readonly Transfer[];
	readonly leaderless: LeaderlessTime;
	/** Checks that were left out by name. */
	readonly skipped: readonly string[];
	/** What an abort waited for in vain, in sentences. Absent from a plan. */
	readonly unconfirmed?: readonly string[];
}

export interface NodeCost {
	readonly node: string;
	/** Connections that were open on it when its drain began. */
	readonly connectionsMoved: number;
	/** From the announcement to the stop. */
	readonly drainMs: number;
	/** From the stop until it was a full member again. */
	readonly downtimeMs: number;
}
