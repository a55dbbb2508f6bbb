import type { StoredOperation } from "../../cluster/engine.js";
import type { OperationContext } from "../context.js";
import { type OperationLock, withLock } from "../lock.js";
import { awaitLockTurn } from "../lock-turn.js";
import { clusterJournal, type Journal, readJournal } from "./journal.js";

/** Where the lock and the journal of an operation are. */
export interface Keeping {
	/** Runs `body` under the lock. Throws OperatorError "locked", naming the holder. */
	withLock<Result>(
		context: OperationContext,
		wish: { readonly operation: string; readonly lockWaitMs: number },
		body: (lock: OperationLock) => Promise<Result>,
	): Promise<Result>;
	/**
	 * Waits until nobody holds its lock; what is left unfinished then is in nobody's hands. Throws OperatorError "locked",
	 * naming the holder, when that takes longer than `lockWaitMs`.
	 */
	awaitTurn(context: OperationContext, lockWaitMs: number): Promise<void>;
	journal(context: OperationContext, lock: OperationLock): Journal;
	/** Every operation that is kept there, newest first. */
	read(context: OperationContext): Promise<readonly StoredOperation[]>;
}

/** In the log of the cluster itself: needs a quorum. */
export const inCluster: Keeping = {
	withLock,
	awaitTurn: awaitLockTurn,
	journal: (context, { fencingToken }) => clusterJournal(context, fencingToken),
	read: readJournal,
};
