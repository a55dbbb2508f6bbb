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
	/**
	 * Has the cluster's name typed by whoever sits there; false when nobody does. Throws when another is typed. `what` says
	 * for what, in a sentence.
	 */
	readonly askName: (what: string) => Promise<boolean>;
}

/** Restores. Data that is there is moved aside, and another cluster's file taken, for a typed name only. */
export async function restoreSnapshot(
	context: OperationContext,
	wish: RestoreWish,
	{ askName, ...options }: RestoreOptions,
): Promise<SnapshotRestored> {
	const { agreed, risks } = await risksOf(context, wish);
	if (risks.length === 0) return runOperation(context, restore(wish), options);
	const make = restore(agreed);
	// What stands in the way of it all the same is said before anybody types.
	await planOperation(context, make(), options.lockWaitMs);
	const typed = await askName(risks.join("\n"));
	// Whoever typed the name sees the plan all the same, and may still say no.
	return runOperation(context, typed ? make : restore(wish), options);
}

/** What `restoreSnapshot` would do now, the name typed, or the refusal it would end with. Touches nothing. */
export async function planRestore(
	context: OperationContext,
	wish: RestoreWish,
): Promise<PlanReport> {
	const { agreed } = await risksOf(context, wish);
	return planOperation(context, restore(agreed)());
}

/** What the name has to be typed for, in sentences, and what is wished for once it was. */
async function risksOf(
	context: OperationContext,
	wish: RestoreWish,
): Promise<{
	readonly agreed: RestoreWish;
	readonly risks: readonly string[];
}> {
	const found = await nodesWithData(context);
	const owner = await foreignOwner(context, wish.file);
	const agreed = {
		...{ ...wish, erase: wish.erase || found.length > 0 },
		foreign: wish.foreign ?? owner,
	};
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
	return { agreed, risks };
}
