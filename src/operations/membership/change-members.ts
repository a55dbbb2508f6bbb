import type { OperationContext } from "../context.js";
import { withContext } from "../open-context.js";
import type { OperationOptions, OperationReport } from "../operation.js";
import type { PlanReport } from "../plan.js";
import { planOperation, runOperation } from "../run-operation.js";
import type { MembershipOperation } from "./operation.js";
import type { MembershipReport } from "./report.js";

/** What a command needs of it. */
export const changing = { withContext, plan: planChange, run: changeMembers };

export type MembersChanged = OperationReport & MembershipReport;

/** Runs one of the operations on the members; checks that are left out are said aloud. */
export async function changeMembers(
	context: OperationContext,
	make: () => MembershipOperation,
	options: OperationOptions,
): Promise<MembersChanged> {
	for (const check of make().skip)
		context.emit({
			...{ type: "warning", node: null },
			message: `the check "${check}" is left out, as asked for by name`,
		});
	return runOperation(context, make, options);
}

/** What `changeMembers` would do now, or the refusal it would end with. Touches nothing. */
export function planChange(
	context: OperationContext,
	make: () => MembershipOperation,
): Promise<PlanReport> {
	return planOperation(context, make());
}
