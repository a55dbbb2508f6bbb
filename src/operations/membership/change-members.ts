import type { OperationContext } from "../context.js";
import type {
	Operation,
	OperationOptions,
	OperationReport,
} from "../operation.js";
import type { PlanReport } from "../plan.js";
import { planOperation, runOperation } from "../run-operation.js";
import type { MembershipReport } from "./report.js";

export type MembersChanged = OperationReport & MembershipReport;

interface ChangeOptions extends OperationOptions {
	/** Make the plan; touch nothing, and take no lock. */
	readonly dryRun: boolean;
}

/** Runs one of the operations on the members, or makes its plan; checks that are left out are said aloud. */
export async function changeMembers(
	context: OperationContext,
	make: () => Operation,
	{ dryRun, ...options }: ChangeOptions,
): Promise<MembersChanged | PlanReport> {
	if (dryRun) return planOperation(context, make());
	for (const check of make().skip)
		context.emit({
			...{ type: "warning", node: null },
			message: `the check "${check}" is left out, as asked for by name`,
		});
	const report: object = await runOperation(context, make, options);
	return report as MembersChanged;
}
