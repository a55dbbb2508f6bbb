import { randomUUID } from "node:crypto";
import type { LockStatus } from "../cluster/engine.js";
import { OperatorError, reasonOf, wayOnOf } from "../errors.js";
import { askAnyNode } from "./any-node.js";
import {
	callOptions,
	commandFor,
	lookAtCluster,
	type OperationContext,
	pollIntervalMs,
} from "./context.js";
import { throwIfEnded } from "./interruption.js";
import { keepLockRenewed, proveLockHeld } from "./lock-renewal.js";
import { isSilence } from "./wait.js";

/** A dead operator's lock ends this long after its last sign of life. */
const lockTtlMs = 20_000;
export const retryAcquireMs = 1_000;
/** How long after the last request a grant that nobody waits for is looked for. */
const lateGrantMs = 2_000;

export interface OperationLock {
	/** Carried by every call that changes something; a node refuses an older one. */
	readonly fencingToken: number;
	/** Aborts when the user interrupts or the lock is lost: nothing may be touched from then on. */
	readonly signal: AbortSignal;
	/**
	 * Asks the cluster, once, whether the lock is held still; right before what no token can fence off. Throws
	 * OperatorError "locked" when it is lost, or when nobody can say.
	 */
	requireFresh(): Promise<void>;
	/** What the lock shows as going on, from its next renewal on. */
	setStep(step: string): void;
}

interface LockWish {
	readonly operation: string;
	/** How long to wait for another holder; 0 gives up at once. */
	readonly lockWaitMs: number;
	/** By default 20 s. */
	readonly ttlMs?: number;
	/** When all went well there is nobody left to release it to: it ends by itself. */
	readonly endsCluster?: true;
}

/**
 * Runs `body` under the cluster's operation lock, renewed in the background and released at the end, however that comes.
 * Throws OperatorError "locked", naming the holder, when another holds it, or when it was lost on the way.
 */
export async function withLock<Result>(
	context: OperationContext,
	wish: LockWish,
	body: (lock: OperationLock) => Promise<Result>,
): Promise<Result> {
	const { ttlMs = lockTtlMs, endsCluster = false } = wish;
	const { fencingToken } = await acquire(context, wish);
	const ended = new AbortController();
	const lost = new AbortController();
	let step = wish.operation;
	const held = { fencingToken, ttlMs, step: () => step, lost };
	const renewal = keepLockRenewed(context, { ...held, ended: ended.signal });
	const signal = AbortSignal.any([context.signal, lost.signal]);
	let isOver = false;
	try {
		const result = await body({
			fencingToken,
			signal,
			requireFresh: () => proveLockHeld(context, { ...held, signal }),
			setStep: (now) => {
				step = now;
			},
		});
		isOver = endsCluster;
		return result;
	} finally {
		ended.abort();
		await renewal;
		if (!isOver && !lost.signal.aborted) await release(context, fencingToken);
	}
}

/** One operation's wish for the lock. */
interface Claim {
	readonly operation: string;
	readonly ttlMs: number;
	/** By this alone an operation knows its lock: containers share user, host name and process id. */
	readonly nonce: string;
	/** A request went out and its answer never came: it may have taken the lock, or may do so yet. */
	unanswered: boolean;
}

async function acquire(
	context: OperationContext,
	wish: LockWish,
): Promise<LockStatus> {
	const { operation, ttlMs = lockTtlMs } = wish;
	const claim = {
		...{ operation, ttlMs, nonce: randomUUID() },
		unanswered: false,
	};
	try {
		return await acquireInTime(context, claim, wish.lockWaitMs);
	} catch (error) {
		if (claim.unanswered) await giveBack(context, claim);
		throw error;
	}
}

async function acquireInTime(
	context: OperationContext,
	claim: Claim,
	lockWaitMs: number,
): Promise<LockStatus> {
	const { clock, signal } = context;
	const startedAt = clock.now();
	let told = "";
	for (;;) {
		throwIfEnded(signal);
		const attempt = await tryAcquire(context, claim);
		if (attempt.lock !== null) return attempt.lock;
		const held = await currentLock(context);
		if (held?.nonce === claim.nonce) return held;
		if (clock.now() - startedAt >= lockWaitMs)
			throw refusalOf(context, held, attempt.failure);
		const waitingFor = held === null ? "a leader" : describe(held);
		if (waitingFor !== told)
			context.emit({
				type: "warning",
				node: null,
				message: `waiting for the operation lock: ${waitingFor}`,
			});
		told = waitingFor;
		await clock.sleep(retryAcquireMs, signal).catch(() => throwIfEnded(signal));
	}
}

interface Attempt {
	readonly lock: LockStatus | null;
	readonly failure: OperatorError | null;
}

async function tryAcquire(
	context: OperationContext,
	claim: Claim,
): Promise<Attempt> {
	const { operation, nonce, ttlMs } = claim;
	try {
		const lock = await askAnyNode(context, async (node) => {
			try {
				return await context.engine.acquireLock(
					node,
					{ ...context.holder, nonce, operation, ttlMs },
					callOptions(context.signal),
				);
			} catch (error) {
				claim.unanswered ||= isUnanswered(context, error);
				throw error;
			}
		});
		return { lock, failure: null };
	} catch (error) {
		throwIfEnded(context.signal);
		if (!(error instanceof OperatorError)) throw error;
		if (error.kind !== "locked" && !isSilence(error)) throw error;
		return { lock: null, failure: error };
	}
}

function isUnanswered({ signal }: OperationContext, error: unknown): boolean {
	return signal.aborted || isSilence(error);
}

/**
 * Releases what was granted too late, so that the next operation need not wait until it ends by itself. Looks for a
 * short while only, and deaf to Ctrl-C: nobody knows any more whether there is anything to release.
 */
async function giveBack(
	context: OperationContext,
	{ nonce }: Claim,
): Promise<void> {
	const { clock } = context;
	const startedAt = clock.now();
	while (clock.now() - startedAt < lateGrantMs) {
		const { nodes } = await lookAtCluster(context);
		const mine = nodes.find(({ status }) => status?.lock?.nonce === nonce);
		if (mine?.status?.lock)
			return release(context, mine.status.lock.fencingToken);
		if (nodes.every(({ status }) => status === null)) return;
		await clock.sleep(pollIntervalMs);
	}
}

/** The lock as any node knows it; null when nobody holds it or nobody answers. */
export async function currentLock(
	context: OperationContext,
): Promise<LockStatus | null> {
	try {
		const status = await askAnyNode(context, (node) =>
			context.engine.status(node, callOptions(context.signal)),
		);
		return status.lock;
	} catch (error) {
		throwIfEnded(context.signal);
		if (isSilence(error)) return null;
		throw error;
	}
}

export function refusalOf(
	context: OperationContext,
	held: LockStatus | null,
	failure: OperatorError | null,
): OperatorError {
	if (failure !== null && failure.kind !== "locked") {
		return new OperatorError(
			failure.kind,
			`the operation lock could not be taken: ${failure.message}`,
			{
				problems: failure.problems,
				state: "nothing was touched",
				...(failure.remedy === undefined
					? { next: commandFor(context, "status") }
					: wayOnOf(failure)),
				cause: failure,
			},
		);
	}
	return new OperatorError(
		"locked",
		held === null
			? (failure?.message ?? "another operation holds the lock")
			: `another operation is under way: ${describe(held)}`,
		{
			state: "nothing was touched",
			next: "wait for it, or give --lock-wait 15m",
			...(failure === null ? {} : { cause: failure }),
		},
	);
}

export function describe(lock: LockStatus): string {
	const step = lock.step === "" ? "" : `, at ${lock.step}`;
	return `${lock.operation} by ${lock.holder} since ${new Date(lock.acquiredAtMs).toISOString()}${step}`;
}

/** Bounded by its calls, deaf to Ctrl-C: an interrupted operation must not keep the next one waiting. */
async function release(
	context: OperationContext,
	fencingToken: number,
): Promise<void> {
	try {
		await askAnyNode(context, (node) =>
			context.engine.releaseLock(node, fencingToken, callOptions()),
		);
	} catch (error) {
		context.emit({
			type: "warning",
			node: null,
			message: `the operation lock was not released and ends by itself within ${lockTtlMs / 1000} s: ${reasonOf(error)}`,
		});
	}
}
