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

interface RecoverOptions extends OperationOptions {
	readonly dryRun: boolean;
	/** Hears what was found, once, before the plan and before anybody is asked. */
	readonly told: (survey: Survey) => Promise<void>;
}

/** Recovers, or makes the plan with what was found. */
export async function recoverCluster(
	context: OperationContext,
	wish: RecoverWish,
	{ dryRun, told, ...options }: RecoverOptions,
): Promise<ClusterRecovered | RecoverPlan> {
	let found: Survey | null = null;
	const make = recover(wish, async (survey) => {
		if (found === null) await told(survey);
		found ??= survey;
	});
	if (!dryRun) {
		const report: object = await runOperation(context, make, options);
		return report as ClusterRecovered;
	}
	const plan: object = await planOperation(context, make());
	return { ...plan, survey: found } as unknown as RecoverPlan;
}
