import type { StoredOperation } from "../cluster/engine.js";
import { askAnyNode } from "./any-node.js";
import { operationOf } from "./catalogue.js";
import { callOptions, type OperationContext } from "./context.js";
import { pauseOnHosts, readReachableHosts } from "./journal/host-journal.js";
import { inCluster } from "./journal/keeping.js";
import { type OperationRecord, parseRecord } from "./journal/record.js";
import { over, refusal, unknown } from "./journal/unfinished.js";
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
	const { record } = await requireUnfinished(context, id);
	const make = await operationOf(record);
	const planned = await planTakingUp(context, make(), { record, as });
	return { record, make, planned };
}

interface Unfinished {
	readonly record: OperationRecord;
	readonly keptBy: "hosts" | "cluster";
}

/** What the hosts keep comes first: it began without a quorum, and there may be none yet. */
async function requireUnfinished(
	context: OperationContext,
	id: string | null,
): Promise<Unfinished> {
	const isMeant = (one: StoredOperation) =>
		id === null ? one.unfinished : one.id === id;
	const kept = (await readReachableHosts(context)).find(isMeant);
	if (kept?.unfinished) return { record: parseRecord(kept), keptBy: "hosts" };
	const stored = kept ?? (await inCluster.read(context)).find(isMeant);
	if (stored?.unfinished)
		return { record: parseRecord(stored), keptBy: "cluster" };
	if (stored !== undefined) throw over(context, stored);
	if (id !== null) throw unknown(context, id);
	throw refusal(context, "no operation is unfinished");
}

/** Asks whoever runs the unfinished operation to stop at the next step boundary. */
export async function pauseUnfinished(
	context: OperationContext,
	id: string | null,
): Promise<OperationView> {
	const { record, keptBy } = await requireUnfinished(context, id);
	const { engine, signal } = context;
	if (keptBy === "hosts") await pauseOnHosts(context, record);
	else
		await askAnyNode(context, (node) =>
			engine.pauseOperation(node, record.id, callOptions(signal)),
		);
	return showOperation(context, record.id);
}
