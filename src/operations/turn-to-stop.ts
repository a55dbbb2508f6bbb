import { confirmedLeader } from "../cluster/health.js";
import { lookAtCluster, type OperationContext } from "./context.js";
import { onHosts } from "./journal/host-journal.js";
import { awaitLockTurn } from "./lock-turn.js";

/**
 * Before anybody is asked whether a whole cluster is to be stopped: waits for whoever operates, as long as wished, then
 * throws OperatorError "locked" that names him. Without a leader nobody keeps the lock; whether one is being elected is seen
 * behind the question, where the lock is taken. `own`: the nodes whose hosts may have a lock.
 */
export async function awaitTurnToStop(
	context: OperationContext,
	{
		lockWaitMs,
		own = context,
	}: { readonly lockWaitMs: number; readonly own?: OperationContext },
): Promise<void> {
	await onHosts.awaitTurn(own, lockWaitMs);
	const facts = await lookAtCluster(context, context.signal);
	if (confirmedLeader(facts) !== null) await awaitLockTurn(context, lockWaitMs);
}
