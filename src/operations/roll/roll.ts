import type { RollSettings } from "../../config/inventory.js";
import type { OperationContext } from "../context.js";
import type { LeaderlessMeter } from "../cost/leaderless-meter.js";
import type { OperationLock } from "../lock.js";
import type { Transfer } from "../steps/leadership.js";
import type { Preference } from "../steps/preference.js";
import type { RollCheck } from "./options.js";
import type { NodeCost } from "./report.js";

/** A roll under way: what it may use, and what has become of it so far. */
export interface Roll {
	readonly context: OperationContext;
	readonly lock: OperationLock;
	readonly settings: RollSettings;
	readonly skip: readonly RollCheck[];
	readonly preference: Preference;
	readonly meter: LeaderlessMeter;
	/** The nodes that were asked for; empty for all. */
	readonly wished: readonly string[];
	/** Another process began it. */
	readonly isResumed: boolean;
	/** Nodes that were restarted and are back in service, in that order. */
	readonly restarted: string[];
	/** Nodes that are still to come, the current one excluded. */
	remaining: readonly string[];
	current: Passage | null;
	readonly costs: NodeCost[];
	readonly transfers: Transfer[];
	/** What an abort waited for in vain, in sentences. */
	readonly unconfirmed: string[];
}

/** One node's way through the roll; times are the clock's milliseconds. */
export interface Passage {
	readonly node: string;
	connections: number;
	/** Of the process before the restart; null when it did not answer. */
	processId: string | null;
	beganAtMs: number;
	/** Null until it is asked to stop. */
	stoppedAtMs: number | null;
	/** True once it was started again. */
	started: boolean;
	/** Null until the ready gate holds. */
	readyAtMs: number | null;
}

export function passageOf(node: string, beganAtMs: number): Passage {
	return {
		node,
		connections: 0,
		processId: null,
		beganAtMs,
		stoppedAtMs: null,
		started: false,
		readyAtMs: null,
	};
}
