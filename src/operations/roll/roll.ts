import type { NodeStatus } from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import type { NodeEntry, RollSettings } from "../../config/inventory.js";
import type { OperationContext } from "../context.js";
import type { LeaderlessMeter } from "../cost/leaderless-meter.js";
import type { OperationLock } from "../lock.js";
import type { Run } from "../operation.js";
import type { Transfer } from "../steps/leadership.js";
import type { Preference } from "../steps/preference.js";
import type { Step } from "../steps/step.js";
import type { RollCheck } from "./options.js";
import type { NodeCost } from "./report.js";

/** What a roll brings about on each node that it restarts. */
export interface RollGoal {
	/** Of the operation. */
	readonly name: string;
	/** As the user would have typed it. */
	readonly text: string;
	/** Throws when it must not begin; returns what has to be remembered beside the processes. */
	prepare(
		context: OperationContext,
		facts: ClusterFacts,
		chosen: readonly NodeEntry[],
	): Promise<object>;
	/** What has to be done before the first of these nodes is touched. */
	before(run: Run, nodes: readonly NodeEntry[]): Promise<readonly Step[]>;
	/** Whether the node has still to be restarted. `former`: its process when the roll began. */
	isToCome(
		status: NodeStatus | null,
		node: { readonly id: string; readonly former: string | null },
	): boolean;
	/** Before the stop, or of a node that goes on: brings what it reads at its start up to date. */
	configure(
		context: OperationContext,
		node: NodeEntry,
		how?: { readonly isRunning: boolean },
	): Promise<unknown>;
	/** Whether it would start with that. */
	isConfigured(context: OperationContext, node: NodeEntry): Promise<boolean>;
	/** What a node gets again that does not become ready, or when the roll is given up. Null: it stays as it is. */
	readonly former: Former | null;
	/** How long the first node has to hold before the next is touched. */
	readonly soakMs: number;
}

/** What a node started with before the roll; `memo` is what `prepare` remembered. */
export interface Former {
	/** Whether the node starts with it next. */
	isNext(
		context: OperationContext,
		node: NodeEntry,
		memo: object,
	): Promise<boolean>;
	/** Makes it so; says what that is. */
	giveBack(
		context: OperationContext,
		node: NodeEntry,
		memo: object,
	): Promise<string>;
}

/** A roll under way: what it may use, and what has become of it so far. */
export interface Roll {
	readonly goal: RollGoal;
	/** What `prepare` returned when it began. */
	readonly memo: object;
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
	/** What it runs again, once it was given back what it ran before. */
	takenBackTo: string | null;
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
		takenBackTo: null,
	};
}
