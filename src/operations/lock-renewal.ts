import { OperatorError, reasonOf, wayOnOf } from "../errors.js";
import { askAnyNode } from "./any-node.js";
import {
	callOptions,
	callTimeoutMs,
	type OperationContext,
} from "./context.js";
import { throwIfEnded } from "./interruption.js";
import { isSilence } from "./wait.js";

const renewEveryMs = 4_000;

interface Renewal {
	readonly fencingToken: number;
	readonly ttlMs: number;
	readonly step: () => string;
	readonly ended: AbortSignal;
	readonly lost: AbortController;
}

/**
 * Renews the operation lock until `ended`. Aborts `lost` once another holds it, or once it could not be proven held for
 * so long that another might have been granted it.
 */
export async function keepLockRenewed(
	context: OperationContext,
	{ fencingToken, ttlMs, step, ended, lost }: Renewal,
): Promise<void> {
	const { clock, engine } = context;
	let provenAt = clock.now();
	for (;;) {
		const everyMs = Math.min(renewEveryMs, ttlMs / 3);
		await clock.sleep(everyMs, ended).catch(() => undefined);
		if (ended.aborted) return;
		// The lock is good for its whole length from when it was asked for, not from when the answer came.
		const askedAt = clock.now();
		try {
			await askAnyNode(context, (node) =>
				engine.renewLock(
					node,
					{ fencingToken, ttlMs, step: step() },
					callOptions(ended),
				),
			);
			provenAt = askedAt;
		} catch (error) {
			if (ended.aborted) return;
			if (
				isSilence(error) &&
				clock.now() - provenAt < ttlMs - 2 * callTimeoutMs
			)
				continue;
			lost.abort(lossOf(error));
			return;
		}
	}
}

/** One renewal, now. Throws OperatorError "locked" when the lock is lost, or when nobody can say that it is not. */
export async function proveLockHeld(
	context: OperationContext,
	{ fencingToken, ttlMs, step, signal, lost }: Proof,
): Promise<void> {
	try {
		await askAnyNode(context, (node) =>
			context.engine.renewLock(
				node,
				{ fencingToken, ttlMs, step: step() },
				callOptions(signal),
			),
		);
	} catch (error) {
		throwIfEnded(signal);
		if (isSilence(error)) throw unprovenOf(error);
		lost.abort(lossOf(error));
		throwIfEnded(lost.signal);
	}
	throwIfEnded(signal);
}

interface Proof extends Omit<Renewal, "ended"> {
	readonly signal: AbortSignal;
}

function unprovenOf(cause: OperatorError): OperatorError {
	return new OperatorError(
		"locked",
		`the operation lock could not be proven to be held still: ${cause.message}`,
		saidBy(cause),
	);
}

function lossOf(cause: unknown): OperatorError {
	return new OperatorError(
		"locked",
		`the operation lock was lost: ${reasonOf(cause)}`,
		saidBy(cause),
	);
}

/** Who does not answer, and what is to be seen to: of a clock that is off, and nobody else is left. */
function saidBy(cause: unknown) {
	if (!(cause instanceof OperatorError)) return { cause };
	const { problems, remedy } = cause;
	return { problems, cause, ...wayOnOf({ remedy }) };
}
