import type { LockStatus } from "../cluster/engine.js";
import { OperatorError, reasonOf } from "../errors.js";
import { askAnyNode } from "./any-node.js";
import { callOptions, commandFor, type OperationContext } from "./context.js";
import { throwIfEnded } from "./interruption.js";
import { keepLockRenewed } from "./lock-renewal.js";
import { isSilence } from "./wait.js";

/** A dead operator's lock ends this long after its last sign of life. */
const lockTtlMs = 20_000;
const retryAcquireMs = 1_000;

export interface OperationLock {
	/** Carried by every call that changes something; a node refuses an older one. */
	readonly fencingToken: number;
	/** Aborts when the user interrupts or the lock is lost: nothing may be touched from then on. */
	readonly signal: AbortSignal;
	/** What the lock shows as going on, from its next renewal on. */
	setStep(step: string): void;
}

interface LockWish {
	readonly operation: string;
	/** How long to wait for another holder; 0 gives up at once. */
	readonly lockWaitMs: number;
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
	const { fencingToken } = await acquire(context, wish);
	const ended = new AbortController();
	const lost = new AbortController();
	let step = wish.operation;
	const renewal = keepLockRenewed(context, {
		fencingToken,
		ttlMs: lockTtlMs,
		step: () => step,
		ended: ended.signal,
		lost,
	});
	try {
		return await body({
			fencingToken,
			signal: AbortSignal.any([context.signal, lost.signal]),
			setStep: (now) => {
				step = now;
			},
		});
	} finally {
		ended.abort();
		await renewal;
		if (!lost.signal.aborted) await release(context, fencingToken);
	}
}

async function acquire(
	context: OperationContext,
	wish: LockWish,
): Promise<LockStatus> {
	const { clock, signal } = context;
	const startedAt = clock.now();
	let mayHoldAlready = false;
	let told = "";
	for (;;) {
		throwIfEnded(signal);
		const attempt = await tryAcquire(context, wish.operation);
		if (attempt.lock !== null) return attempt.lock;
		mayHoldAlready ||= attempt.unanswered;
		const held = await currentLock(context);
		if (mayHoldAlready && held?.holder === context.holder.holder) return held;
		if (clock.now() - startedAt >= wish.lockWaitMs)
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
	/** A request went out and its answer never came: it may have taken the lock. */
	readonly unanswered: boolean;
	readonly failure: OperatorError | null;
}

async function tryAcquire(
	context: OperationContext,
	operation: string,
): Promise<Attempt> {
	let unanswered = false;
	try {
		const lock = await askAnyNode(context, async (node) => {
			try {
				return await context.engine.acquireLock(
					node,
					{ ...context.holder, operation, ttlMs: lockTtlMs },
					callOptions(context.signal),
				);
			} catch (error) {
				unanswered ||= isSilence(error);
				throw error;
			}
		});
		return { lock, unanswered, failure: null };
	} catch (error) {
		throwIfEnded(context.signal);
		if (!(error instanceof OperatorError)) throw error;
		if (error.kind !== "locked" && !isSilence(error)) throw error;
		return { lock: null, unanswered, failure: error };
	}
}

/** The lock as any node knows it; null when nobody holds it or nobody answers. */
async function currentLock(
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

function refusalOf(
	context: OperationContext,
	held: LockStatus | null,
	failure: OperatorError | null,
): OperatorError {
	if (failure !== null && failure.kind !== "locked") {
		return new OperatorError(
			failure.kind,
			`the operation lock could not be taken: ${failure.message}`,
			{
				state: "nothing was touched",
				next: commandFor(context, "status"),
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
