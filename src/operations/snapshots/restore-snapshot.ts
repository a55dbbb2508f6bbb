import type { OperationContext } from "../context.js";
import type { OperationOptions, OperationReport } from "../operation.js";
import type { PlanReport } from "../plan.js";
import { planOperation, runOperation } from "../run-operation.js";
import {
	nodesWithData,
	type RestoreReport,
	type RestoreWish,
	restore,
} from "./restore.js";
import { foreignOwner } from "./restore-file.js";

export type SnapshotRestored = OperationReport & RestoreReport;

interface RestoreOptions extends OperationOptions {
	readonly dryRun: boolean;
	/**
	 * Has the cluster's name typed by whoever sits there; false when nobody does. Throws when another is typed. `what` says
	 * for what, in a sentence.
	 */
	readonly askName: (what: string) => Promise<boolean>;
}

/**
 * Restores, or makes the plan. Data that is there is moved aside, and another cluster's file taken, for a typed name only.
 */
export async function restoreSnapshot(
	context: OperationContext,
	wish: RestoreWish,
	{ dryRun, askName, confirm, ...options }: RestoreOptions,
): Promise<SnapshotRestored | PlanReport> {
	const found = await nodesWithData(context);
	const owner = await foreignOwner(context, wish.file);
	const agreed = {
		...{ ...wish, erase: wish.erase || found.length > 0 },
		foreign: wish.foreign ?? owner,
	};
	if (dryRun) return planOperation(context, restore(agreed)());
	const risks = [
		...(found.length === 0 || wish.erase
			? []
			: [
					`${found.join(", ")} hold data of a cluster. It would be moved aside, and served no more.`,
				]),
		...(owner === null || wish.foreign !== null
			? []
			: [`${wish.file} is of another cluster, ${owner}.`]),
	];
	const typed = risks.length > 0 && (await askName(risks.join("\n")));
	const make = restore(typed ? agreed : wish);
	// Whoever typed the name sees the plan all the same, and may still say no.
	const asked = confirm === undefined ? options : { ...options, confirm };
	const report: object = await runOperation(context, make, asked);
	return report as SnapshotRestored;
}
