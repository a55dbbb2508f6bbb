import type { JournalCommand } from "./commands.js";
import type { OperationLock } from "./lock.js";

/** An operation as the cluster keeps it: what it is doing is raftctl's business, in `record`. */
export interface StoredOperation {
	readonly id: string;
	/** False once it has ended; it stays as it is from then on. */
	readonly unfinished: boolean;
	/** JSON on one line, for raftctl. */
	readonly record: string;
	/** Somebody asks that it stops at the next step boundary. */
	readonly pauseRequested: boolean;
	/** By the cluster's time: first and last written. */
	readonly beganAtMs: number;
	readonly updatedAtMs: number;
}

/** Constants of the format: every node must drop the same operations. The one that is not finished counts beside them. */
export const maxFinishedOperations = 50;

/** The parts of the control state that commands to the journal read and change. */
export interface JournalState {
	readonly lock: OperationLock | null;
	readonly nowMs: number;
	/** Newest first; another array when anything changed. Only the first may be unfinished. */
	operations: readonly StoredOperation[];
}

/**
 * Null when it was done. lost: the token is not that of the lock. unfinished-operation: another is not finished.
 * finished-operation: this one is. unknown-operation: there is none of this id.
 */
export type JournalRefusal =
	| "lost"
	| "unfinished-operation"
	| "finished-operation"
	| "unknown-operation"
	| null;

/** The operation that was written, or that stands in the way. */
export interface JournalOutcome {
	readonly reason: JournalRefusal;
	readonly operation: StoredOperation | null;
}

export function executeJournal(
	state: JournalState,
	command: JournalCommand,
): JournalOutcome {
	return command.type === "write-operation"
		? write(state, command)
		: pause(state, command.id);
}

/**
 * Only under the lock: whoever lost it must not tell how its operation goes on. What is finished is history; but to
 * repeat its last word is no mistake, as the answer may have been lost.
 */
function write(
	state: JournalState,
	command: Extract<JournalCommand, { type: "write-operation" }>,
): JournalOutcome {
	const { id, unfinished, record, clearPause = false } = command;
	if (state.lock?.fencingToken !== command.fencingToken)
		return { reason: "lost", operation: null };
	const [newest] = state.operations;
	if (newest?.unfinished && newest.id !== id)
		return { reason: "unfinished-operation", operation: newest };
	const known = state.operations.find((one) => one.id === id);
	if (known?.unfinished === false)
		return !unfinished && record === known.record
			? { reason: null, operation: known }
			: { reason: "finished-operation", operation: known };
	const stored = {
		...{ id, unfinished, record },
		pauseRequested: unfinished && !clearPause && known?.pauseRequested === true,
		beganAtMs: known?.beganAtMs ?? state.nowMs,
		updatedAtMs: state.nowMs,
	};
	const others = state.operations.filter((one) => one !== known);
	const kept = maxFinishedOperations - (unfinished ? 0 : 1);
	state.operations = [stored, ...others.slice(0, kept)];
	return { reason: null, operation: stored };
}

/** By anybody: it is the holder who stops, when it next looks. */
function pause(state: JournalState, id: string): JournalOutcome {
	const known = state.operations.find((one) => one.id === id);
	if (known === undefined)
		return { reason: "unknown-operation", operation: null };
	if (!known.unfinished)
		return { reason: "finished-operation", operation: known };
	const paused = { ...known, pauseRequested: true };
	state.operations = [paused, ...state.operations.slice(1)];
	return { reason: null, operation: paused };
}

/** Its fields alone, in the one order in which they are written. */
export function operationFields(operation: StoredOperation): StoredOperation {
	const { id, unfinished, record, pauseRequested } = operation;
	const { beganAtMs, updatedAtMs } = operation;
	return { id, unfinished, record, pauseRequested, beganAtMs, updatedAtMs };
}
