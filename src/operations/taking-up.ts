import { askAnyNode } from "./any-node.js";
import { operationOf } from "./catalogue.js";
import { callOptions, type OperationContext } from "./context.js";
import { onHosts, pauseOnHosts } from "./journal/host-journal.js";
import { unfinishedNamed } from "./journal/unfinished.js";
import { withContext } from "./open-context.js";
import type { OperationOptions, OperationReport } from "./operation.js";
import { type OperationView, showOperation } from "./operations.js";
import type { PlanReport } from "./plan.js";
import { planTakingUp, takeUp } from "./run-operation.js";

/** A killed operator's lock ends by itself within 20 s; who still holds it then lives. */
export const deadHolderWaitMs = 25_000;

/** What a command needs of it. */
export const takingUp = {
	withContext,
	plan: planTakeUp,
	run: takeUpUnfinished,
};

interface TakeUpWish {
	/** Null for the one that is unfinished. */
	readonly id: string | null;
	readonly as: "resume" | "abort";
}

/** Ends or gives up what a killed, paused or failed operator left. Throws "refused" when nothing is unfinished. */
export async function takeUpUnfinished(
	context: OperationContext,
	{ id, as, confirm, lockWaitMs, canary = {} }: TakeUpWish & OperationOptions,
): Promise<OperationReport> {
	// Of one that lives there is nothing to be taken up, whatever the answer.
	await (await unfinishedNamed(context, id)).keeping.awaitTurn(
		context,
		lockWaitMs,
	);
	const { record, make, planned } = await lookAhead(context, { id, as });
	const { plan, soFar } = planned;
	const shown = { operation: record.operation, steps: plan };
	context.emit({ type: "plan", ...shown, soFar });
	await confirm?.();
	return takeUp(context, make(), { record, as, plan, lockWaitMs, canary });
}

/** What `takeUpUnfinished` would do now, or the refusal it would end with. Touches nothing. */
export async function planTakeUp(
	context: OperationContext,
	wish: TakeUpWish,
): Promise<PlanReport> {
	return (await lookAhead(context, wish)).planned;
}

async function lookAhead(context: OperationContext, { id, as }: TakeUpWish) {
	const { record } = await unfinishedNamed(context, id);
	const make = await operationOf(record);
	const planned = await planTakingUp(context, make(), { record, as });
	return { record, make, planned };
}

/** Asks whoever runs the unfinished operation to stop at the next step boundary. */
export async function pauseUnfinished(
	context: OperationContext,
	id: string | null,
): Promise<OperationView> {
	const { record, keeping } = await unfinishedNamed(context, id);
	const { engine, signal } = context;
	if (keeping === onHosts) await pauseOnHosts(context, record);
	else
		await askAnyNode(context, (node) =>
			engine.pauseOperation(node, record.id, callOptions(signal)),
		);
	return showOperation(context, record.id);
}
