import type { OperatorError } from "../errors.js";
import type { CanaryUse } from "./canary/wish.js";
import type { OperationContext } from "./context.js";
import type { OperationCost } from "./cost/cost.js";
import type { PlannedStep } from "./events.js";
import type { Keeping } from "./journal/keeping.js";
import type { Attempt } from "./journal/record.js";
import type { OperationLock } from "./lock.js";
import type { Confirm } from "./plan.js";
import type { Step } from "./steps/step.js";

/**
 * One day-two task, so made that it can be killed anywhere: what is left to do follows from the world as it is, never
 * from what was recorded. Made anew for every run, from its arguments alone; it may keep what this run has seen.
 */
export interface Operation<Report extends object = object> {
	/** As the catalogue knows it: "replace-node". */
	readonly name: string;
	/** As the user would have typed it, the checks left out included. */
	readonly text: string;
	/** Everything that decides what it does; JSON. `catalogue` makes the same operation of it. */
	readonly arguments: object;
	readonly skip: readonly string[];
	/**
	 * Half done it ends by itself, or was one change that came about or did not. When it was killed the next operation
	 * closes its record instead of being refused; until then it can be taken up like any other.
	 */
	readonly lapses?: true;
	/** Where its lock and its record are; by default in the cluster. */
	readonly keeping?: Keeping;
	/**
	 * Throws when it must not begin. Returns what has to be remembered of the world before the first step, as JSON; {}
	 * when everything can be seen afterwards. Touches nothing.
	 */
	prepare(context: OperationContext): Promise<object>;
	/**
	 * What is left to do, in order; empty when all is done. Asked before the first step, after a step that is marked
	 * `replan`, and again by whoever resumes. Steps that may be done already say so by `isDone`.
	 */
	steps(run: Run): Promise<readonly Step[]>;
	/** What leaves the cluster valid, nothing drained and nothing half added, when the operation is given up. */
	abortSteps(run: Run): Promise<readonly Step[]>;
	/** What an earlier attempt did already, in sentences for whoever takes it up; by default the steps that came to their end. */
	soFar?(run: Run): Promise<readonly string[]>;
	/** What it did, for people and machines; operation, cluster, plan and duration are added. */
	report(run: Run): Promise<Report>;
	/** Makes of what went wrong an error that says the state and the one command to go on. */
	failure?(run: Run, cause: unknown): OperatorError;
	/** Lets go of what this run holds, however it ended. */
	end?(run: Run): Promise<void>;
}

/** An operation under way. */
export interface Run {
	readonly context: OperationContext;
	readonly lock: OperationLock;
	/** What `prepare` returned when the operation began, perhaps in another process. */
	readonly memo: object;
	/** True when another process began it. */
	readonly isResumed: boolean;
	/** Who had it in hand, this process last; absent while it is only planned. */
	readonly attempts?: readonly Attempt[];
}

export interface OperationOptions {
	/** How long to wait for another operation's lock; 0 fails at once. */
	readonly lockWaitMs: number;
	readonly confirm?: Confirm;
	/** Whether a canary runs beside it, and when that ends it. */
	readonly canary?: CanaryUse;
}

/** What an operation takes that asks nothing. */
export type Watched = Pick<OperationOptions, "lockWaitMs" | "canary">;

/** What an operation itself has to say of what it did; the rest is the same for all. */
export type Own<Report extends OperationReport> = Omit<
	Report,
	keyof OperationReport
>;

/** What every operation's result has; its own fields stand beside these. */
export interface OperationReport {
	readonly operation: string;
	readonly cluster: string;
	/** Of the journal. */
	readonly id: string;
	readonly plan: readonly PlannedStep[];
	readonly cost: OperationCost;
	readonly durationMs: number;
}
