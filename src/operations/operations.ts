import type { LockStatus, StoredOperation } from "../cluster/engine.js";
import { OperatorError } from "../errors.js";
import { askAnyNode } from "./any-node.js";
import { operationOf } from "./catalogue.js";
import { callOptions, commandFor, type OperationContext } from "./context.js";
import { onHosts, pauseOnHosts } from "./journal/host-journal.js";
import { hostLockHolder } from "./journal/host-lock.js";
import { inCluster } from "./journal/keeping.js";
import { type OperationRecord, parseRecord } from "./journal/record.js";
import { describe } from "./lock.js";
import {
	type OperationOptions,
	type OperationReport,
	planTakingUp,
	takeUp,
} from "./operation.js";
import type { PlanReport } from "./plan.js";
import { isSilence } from "./wait.js";

/** A killed operator's lock ends by itself within 20 s; who still holds it then lives. */
export const deadHolderWaitMs = 25_000;

/** One operation of the journal as people see it. */
export interface OperationView {
	readonly id: string;
	/** killed: the journal says running, and nobody holds the lock for it. */
	readonly state: OperationRecord["state"] | "killed";
	readonly unfinished: boolean;
	readonly pauseRequested: boolean;
	readonly beganAtMs: number;
	readonly updatedAtMs: number;
	/** Null for a record of a newer raftctl. */
	readonly record: OperationRecord | null;
	/** On the hosts: begun where there was no quorum. Absent for what the cluster itself keeps. */
	readonly keptBy?: "hosts";
}

/** The journal of the cluster and that of the hosts, newest first; without a quorum the latter alone, which is said. */
export async function listOperations(
	context: OperationContext,
): Promise<readonly OperationView[]> {
	const hosts = await hostOperations(context);
	try {
		const [stored, lock] = await Promise.all([
			inCluster.read(context),
			lockStatus(context),
		]);
		const nowMs = context.clock.unixMs();
		const views = stored.map((one) => viewOf(one, liveLock(lock, nowMs)));
		return [...hosts, ...views].sort((a, b) => b.beganAtMs - a.beganAtMs);
	} catch (error) {
		if (!isSilence(error) || hosts.length === 0) throw error;
		warnOfSilence(context, error);
		return hosts;
	}
}

async function hostOperations(
	context: OperationContext,
): Promise<readonly OperationView[]> {
	const stored = await onHosts.read(context);
	const views = stored.map((one) => viewOf(one, null));
	if (!views.some(({ state }) => state === "killed"))
		return views.map((view) => ({ ...view, keptBy: "hosts" }));
	const lock = await hostLockHolder(context);
	return views.map((view) => {
		const isHeld =
			view.state === "killed" &&
			lock?.isAlive === true &&
			lock.holder === view.record?.attempts.at(-1)?.holder;
		return { ...view, state: isHeld ? "running" : view.state, keptBy: "hosts" };
	});
}

function warnOfSilence({ emit }: OperationContext, error: OperatorError) {
	emit({
		...{ type: "warning", node: null },
		message: `no quorum answers, so this is what the hosts alone keep: ${error.message}`,
	});
}

/** One operation; without an id the unfinished one, else the newest. Throws OperatorError "usage" when there is none. */
export async function showOperation(
	context: OperationContext,
	id: string | null,
): Promise<OperationView> {
	const all = await listOperations(context);
	const found =
		id === null
			? (all.find(({ unfinished }) => unfinished) ?? all[0])
			: all.find((one) => one.id === id);
	if (found !== undefined) return found;
	throw new OperatorError(
		"usage",
		id === null
			? "the journal is empty"
			: `the journal knows no operation ${id}`,
		{ next: commandFor(context, "operation list") },
	);
}

/** The operation lock by a quorum's word; null when nobody holds it. */
export async function lockStatus(
	context: OperationContext,
): Promise<LockStatus | null> {
	return askAnyNode(context, async (node) => {
		await context.engine.readIndex(node, callOptions(context.signal));
		const { lock } = await context.engine.status(
			node,
			callOptions(context.signal),
		);
		return lock;
	});
}

/** A node shows a lock until another is taken; one that was not renewed in time is nobody's. */
export function liveLock(
	lock: LockStatus | null,
	nowMs: number,
): LockStatus | null {
	return lock !== null && lock.expiresAtMs > nowMs ? lock : null;
}

/** `lock` is the one that is held now. */
export function viewOf(
	stored: StoredOperation,
	lock: LockStatus | null,
): OperationView {
	const { id, unfinished, pauseRequested, beganAtMs, updatedAtMs } = stored;
	const record = readable(stored);
	const state = record?.state ?? "running";
	return {
		...{ id, unfinished, pauseRequested, beganAtMs, updatedAtMs, record },
		state: state === "running" && !isHeldFor(lock, record) ? "killed" : state,
	};
}

function readable(stored: StoredOperation): OperationRecord | null {
	try {
		return parseRecord(stored);
	} catch (error) {
		if (error instanceof OperatorError) return null;
		throw error;
	}
}

function isHeldFor(
	lock: LockStatus | null,
	record: OperationRecord | null,
): boolean {
	const holder = record?.attempts.at(-1)?.holder;
	return lock !== null && (record === null || lock.holder === holder);
}

interface TakeUpWish extends OperationOptions {
	/** Null for the one that is unfinished. */
	readonly id: string | null;
	readonly as: "resume" | "abort";
	readonly dryRun: boolean;
}

/** Ends or gives up what a killed, paused or failed operator left. Throws "refused" when nothing is unfinished. */
export async function takeUpUnfinished(
	context: OperationContext,
	{ id, as, dryRun, confirm, lockWaitMs, canary = {} }: TakeUpWish,
): Promise<OperationReport | PlanReport> {
	const { record } = await requireUnfinished(context, id);
	const make = await operationOf(record);
	const planned = await planTakingUp(context, make(), { record, as });
	if (dryRun) return planned;
	context.emit({
		...{ type: "plan", operation: record.operation, steps: planned.plan },
	});
	await confirm?.();
	const { plan } = planned;
	return takeUp(context, make(), { record, as, plan, lockWaitMs, canary });
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
	const kept = (await onHosts.read(context)).find(isMeant);
	if (kept?.unfinished) return { record: parseRecord(kept), keptBy: "hosts" };
	const stored = kept ?? (await inCluster.read(context)).find(isMeant);
	if (stored?.unfinished)
		return { record: parseRecord(stored), keptBy: "cluster" };
	throw new OperatorError(
		"refused",
		stored === undefined
			? id === null
				? "no operation is unfinished"
				: `the journal knows no operation ${id}`
			: `operation ${stored.id} is finished already: ${parseRecord(stored).state}`,
		{
			state: "nothing was touched",
			next: commandFor(context, "operation list"),
		},
	);
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

/** Takes the lock from whoever holds it: every call that he makes from then on is refused. Null when nobody held it. */
export async function releaseHeldLock(
	context: OperationContext,
	confirm: (held: LockStatus) => Promise<void>,
): Promise<LockStatus | null> {
	const held = await lockStatus(context);
	if (held === null) return null;
	await confirm(held);
	await askAnyNode(context, (node) =>
		context.engine.releaseLock(
			node,
			held.fencingToken,
			callOptions(context.signal),
		),
	).catch((cause: unknown) => {
		throw new OperatorError(
			"refused",
			`the lock is not that of "${describe(held)}" any more`,
			{
				state: "nothing was released",
				next: commandFor(context, "lock status"),
				cause,
			},
		);
	});
	return held;
}
