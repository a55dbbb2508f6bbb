import type { OperationContext } from "./context.js";
import { throwIfEnded } from "./interruption.js";
import { currentLock, describe, refusalOf, retryAcquireMs } from "./lock.js";
import { liveLock } from "./lock-status.js";

/**
 * Waits until nobody holds the operation lock, before anything is planned: what is under way is not finished either, and
 * would be taken for something that was left. The lock itself is taken later. Throws OperatorError "locked", naming the
 * holder, when it is held for longer than `lockWaitMs`.
 */
export async function awaitLockTurn(
	context: OperationContext,
	lockWaitMs: number,
): Promise<void> {
	const { clock, signal } = context;
	const startedAt = clock.now();
	let told = "";
	for (;;) {
		throwIfEnded(signal);
		const held = liveLock(await currentLock(context), clock.unixMs());
		if (held === null) return;
		if (clock.now() - startedAt >= lockWaitMs)
			throw refusalOf(context, held, null);
		const { holder } = held;
		if (holder !== told) {
			const message = `waiting for the operation lock: ${describe(held)}`;
			context.emit({ type: "warning", node: null, message });
		}
		told = holder;
		await clock.sleep(retryAcquireMs, signal).catch(() => throwIfEnded(signal));
	}
}
