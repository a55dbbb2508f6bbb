import type { LockStatus } from "../cluster/engine.js";
import { OperatorError, reworded, wayOnOf } from "../errors.js";
import { askAnyNode } from "./any-node.js";
import { callOptions, commandFor, type OperationContext } from "./context.js";
import {
	type HostLockStatus,
	hostLockStatus,
	releaseHostLock,
} from "./journal/host-lock-turn.js";
import { describe } from "./lock.js";
import { isSilence } from "./wait.js";

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

/** Both locks: at most one of them is held by an operation that is under way. */
export interface HeldLocks {
	/** In the cluster; null when nobody holds it, or no quorum answers. */
	readonly lock: LockStatus | null;
	/** On the hosts, by a restore or a recovery; null when nobody holds it. */
	readonly hosts: HostLockStatus | null;
}

/**
 * Throws the silence when no quorum answers and the hosts have no lock either: nobody can tell then who operates. With
 * one on the hosts there may well be no quorum.
 */
export async function heldLocks(context: OperationContext): Promise<HeldLocks> {
	const [lock, hosts] = await Promise.all([
		lockStatus(context).catch((error: unknown) => {
			if (isSilence(error)) return error;
			throw error;
		}),
		hostLockStatus(context),
	]);
	if (!(lock instanceof OperatorError)) return { lock, hosts };
	if (hosts === null)
		throw reworded(lock, {
			...wayOnOf(lock),
			state: "nothing was touched; whether anybody operates is not known",
		});
	return { lock: null, hosts };
}

/**
 * A node shows a lock until another is taken; one that was not renewed in time is nobody's. By the cluster's time, where the
 * node tells it: a clock that differs from this machine's must not let a dead operator live on. `nowMs` since the Unix epoch.
 */
export function liveLock(
	lock: LockStatus | null,
	nowMs: number,
): LockStatus | null {
	if (lock === null) return null;
	return (lock.leftMs ?? lock.expiresAtMs - nowMs) > 0 ? lock : null;
}

/** Whose lock is to be taken, before it is. */
export type ConfirmRelease = (
	held: Pick<LockStatus, "holder" | "operation" | "step">,
) => Promise<void>;

/**
 * Takes both locks from whoever holds them: every call that he makes from then on is refused, and what he does on the
 * hosts ends at his next step. What nobody held is null.
 */
export async function releaseHeldLocks(
	context: OperationContext,
	confirm: ConfirmRelease,
): Promise<HeldLocks> {
	const held = await heldLocks(context);
	const { lock, hosts } = held;
	if (lock !== null) {
		await confirm(lock);
		await releaseInCluster(context, lock);
	}
	if (hosts !== null) {
		await confirm(hosts);
		await releaseHostLock(context, hosts);
	}
	return held;
}

async function releaseInCluster(
	context: OperationContext,
	held: LockStatus,
): Promise<void> {
	await askAnyNode(context, (node) =>
		context.engine.releaseLock(
			node,
			held.fencingToken,
			callOptions(context.signal),
		),
	).catch((cause: unknown) => {
		if (isSilence(cause))
			throw reworded(cause, {
				state: `whether the lock of "${describe(held)}" was released is not known`,
				next: commandFor(context, "lock status"),
			});
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
}
