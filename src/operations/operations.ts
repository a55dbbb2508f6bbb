import type { LockStatus, StoredOperation } from "../cluster/engine.js";
import { OperatorError } from "../errors.js";
import { commandFor, type OperationContext } from "./context.js";
import {
	readReachableHosts,
	unfinishedOnHosts,
} from "./journal/host-journal.js";
import { hostLockStatus } from "./journal/host-lock-turn.js";
import { inCluster } from "./journal/keeping.js";
import { withoutRecord } from "./journal/no-record.js";
import { type OperationRecord, parseRecord } from "./journal/record.js";
import { liveLock, lockStatus } from "./lock-status.js";
import { isSilence } from "./wait.js";

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
	const hosts = await withHolder(context, await readReachableHosts(context));
	try {
		const [stored, lock] = await Promise.all([
			inCluster.read(context),
			lockStatus(context),
		]);
		const nowMs = context.clock.unixMs();
		const views = stored.map((one) => viewOf(one, liveLock(lock, nowMs)));
		return [...hosts, ...views].sort((a, b) => b.beganAtMs - a.beganAtMs);
	} catch (error) {
		if (!isSilence(error)) throw error;
		if (hosts.length === 0) throw await withoutRecord(context, error);
		warnOfSilence(context, error);
		return hosts;
	}
}

/** Of what is unfinished there the lock is watched for a moment, to tell whether somebody has it in hand. */
async function withHolder(
	context: OperationContext,
	stored: readonly StoredOperation[],
): Promise<readonly OperationView[]> {
	const views = stored.map((one) => viewOf(one, null));
	const isInDoubt = views.some(({ state }) => state === "killed");
	const lock = isInDoubt ? await hostLockStatus(context) : null;
	const holder = lock?.isAlive === true ? lock.holder : null;
	return views.map((view) => {
		const isHeld =
			view.state === "killed" &&
			holder !== null &&
			holder === view.record?.attempts.at(-1)?.holder;
		return { ...view, state: isHeld ? "running" : view.state, keptBy: "hosts" };
	});
}

/**
 * The one that is unfinished there; null when there is none, or the hosts do not answer in time. Only where there is one
 * its holder is watched, which takes some seconds.
 */
export async function hostsUnfinished(
	context: OperationContext,
	timeoutMs: number,
): Promise<OperationView | null> {
	const { clock, signal } = context;
	const ended = new AbortController();
	const stored = await Promise.race([
		unfinishedOnHosts(context),
		clock
			.sleep(timeoutMs, AbortSignal.any([signal, ended.signal]))
			.catch(() => undefined)
			.then(() => null),
	]);
	ended.abort();
	if (stored === null) return null;
	const [view = null] = await withHolder(context, [stored]);
	return view;
}

function warnOfSilence({ emit }: OperationContext, error: OperatorError) {
	emit({
		...{ type: "warning", node: null },
		message: `no quorum answers, so this is what the hosts alone keep: ${error.message}`,
	});
}

/** What is not finished, wherever it is kept; null when nothing is, or no quorum answers. */
export async function unfinishedNow(
	context: OperationContext,
): Promise<OperationView | null> {
	try {
		const all = await listOperations(context);
		return all.find(({ unfinished }) => unfinished) ?? null;
	} catch (error) {
		if (isSilence(error)) return null;
		throw error;
	}
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
