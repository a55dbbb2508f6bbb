import type { OperationContext } from "./context.js";
import type { PlannedStep } from "./events.js";
import type { OperationLock } from "./lock.js";
import { planOf, type Step } from "./steps/step.js";

/** What an operation would do now; `raftctl … --dry-run --json` prints it. */
export interface PlanReport {
	readonly operation: string;
	readonly cluster: string;
	readonly dryRun: true;
	/** Only what there is to do; empty when nothing is. */
	readonly plan: readonly PlannedStep[];
	/** What an earlier attempt did already, in sentences; only of what is taken up. */
	readonly soFar?: readonly string[];
}

/** Asked with the plan shown and before anything is touched; ends the operation by throwing. */
export type Confirm = () => Promise<void>;

/** The plan made of an operation's own steps, less those with nothing to do. Touches nothing. */
export async function planReport(
	{ inventory }: OperationContext,
	operation: string,
	steps: readonly Step[],
): Promise<PlanReport> {
	const reasons = await Promise.all(
		steps.map(async (step) => (await step.isDone?.()) ?? null),
	);
	const plan = planOf(
		steps.filter((_, position) => reasons[position] === null),
	);
	return { operation, cluster: inventory.name, dryRun: true, plan };
}

/** Stands in for the lock where steps are made to be shown only. */
export function unlocked({ signal }: OperationContext): OperationLock {
	return {
		fencingToken: 0,
		signal,
		setStep: () => undefined,
		requireFresh: async () => undefined,
	};
}
