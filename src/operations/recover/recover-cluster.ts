import type { OperationContext } from "../context.js";
import type { OperationOptions, OperationReport } from "../operation.js";
import type { PlanReport } from "../plan.js";
import { planOperation, runOperation } from "../run-operation.js";
import {
	type RecoverReport,
	type RecoverWish,
	recover,
	type Survey,
} from "./recover.js";

export type ClusterRecovered = OperationReport & RecoverReport;
export type RecoverPlan = PlanReport & { readonly survey: Survey };

/** Hears what was found, once, before the plan and before anybody is asked. */
type Told = (survey: Survey) => Promise<void>;

/** Recovers; `told` hears what was found. */
export function recoverCluster(
	context: OperationContext,
	wish: RecoverWish,
	{ told, ...options }: OperationOptions & { readonly told: Told },
): Promise<ClusterRecovered> {
	const { hear } = once(told);
	return runOperation(context, recover(wish, hear), options);
}

/** What `recoverCluster` would do now, with what was found, or the refusal it would end with. Touches nothing. */
export async function planRecovery(
	context: OperationContext,
	wish: RecoverWish,
	told: Told,
): Promise<RecoverPlan> {
	const found = once(told);
	const plan = await planOperation(context, recover(wish, found.hear)());
	return { ...plan, survey: found.first() };
}

/** The operation is made several times; who is told is told of the first. */
function once(told: Told) {
	let found: Survey | null = null;
	return {
		hear: async (survey: Survey) => {
			if (found === null) await told(survey);
			found ??= survey;
		},
		first(): Survey {
			if (found !== null) return found;
			throw new Error("invariant: a plan without a survey");
		},
	};
}
