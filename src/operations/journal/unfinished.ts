import type { StoredOperation } from "../../cluster/engine.js";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { isSilence } from "../wait.js";
import {
	onHosts,
	readReachableHosts,
	unfinishedOnHosts,
} from "./host-journal.js";
import { inCluster, type Keeping } from "./keeping.js";
import { withoutRecord } from "./no-record.js";
import { type OperationRecord, parseRecord } from "./record.js";
import { wayOn } from "./way-on.js";

/** What stands in the way of an operation that is about to begin. */
interface Left {
	readonly record: OperationRecord;
	/** Where it is kept. */
	readonly keeping: Keeping;
}

/**
 * The operation that is not finished; null when there is none. What the hosts keep stands in everybody's way, and comes
 * first; where no host can be reached, nobody can have it in hand there either. Throws OperatorError "refused" for one of
 * a newer raftctl.
 */
export async function unfinishedOperation(
	context: OperationContext,
	keeping: Keeping = inCluster,
): Promise<Left | null> {
	const held = await unfinishedOnHosts(context);
	if (held !== null) return { record: parseRecord(held), keeping: onHosts };
	if (keeping === onHosts) return null;
	const stored = (await keeping.read(context)).find(
		({ unfinished }) => unfinished,
	);
	return stored === undefined ? null : { record: parseRecord(stored), keeping };
}

/**
 * Before anything is planned: throws OperatorError "partial" that names what is not finished and the two ways on. What
 * somebody has in hand is not left: its end is waited for, as long as its holder lives and the user wishes, then it is
 * "locked". What lapses stands in nobody's way once its operator is gone. Where nobody answers, what prepares the plan says
 * it better. Asked again under the lock.
 */
export async function requireTurn(
	context: OperationContext,
	keeping: Keeping = inCluster,
	lockWaitMs = 0,
): Promise<void> {
	try {
		const left = await unfinishedOperation(context, keeping);
		if (left === null) return;
		await left.keeping.awaitTurn(context, lockWaitMs);
	} catch (error) {
		if (isSilence(error)) return;
		throw error;
	}
	const left = await unfinishedOperation(context, keeping);
	if (left !== null && !mayLapse(left.record)) throw inTheWay(context, left);
}

/**
 * True for a killed operation that leaves nothing to take up: a drain ends with its lease, a transfer came about or did
 * not. One that was paused is waited for: somebody wished so.
 */
export function mayLapse({
	lapses,
	state,
}: Pick<OperationRecord, "lapses" | "state">): boolean {
	return lapses === true && state === "running";
}

export function inTheWay(
	context: OperationContext,
	{ record, keeping }: Left,
): OperatorError {
	const { text, state, step } = record;
	const how = state === "running" ? "killed" : state;
	const at = step === null ? "" : `, at ${step}`;
	const where = keeping === onHosts ? "; its record is on the hosts" : "";
	return new OperatorError(
		"partial",
		`"${text}" is not finished: it was ${how}${at}${where}`,
		{
			state: "nothing was touched",
			next: wayOn(context),
		},
	);
}

/**
 * The one that is to be taken up: by its id, or else whichever is unfinished. What the hosts keep comes first: it began
 * without a quorum, and there may be none yet. Throws OperatorError "refused" when there is none.
 */
export async function unfinishedNamed(
	context: OperationContext,
	id: string | null,
): Promise<Left> {
	const isMeant = (one: StoredOperation) =>
		id === null ? one.unfinished : one.id === id;
	const kept = (await readReachableHosts(context)).find(isMeant);
	if (kept?.unfinished) return { record: parseRecord(kept), keeping: onHosts };
	const stored = kept ?? (await readCluster(context)).find(isMeant);
	if (stored?.unfinished)
		return { record: parseRecord(stored), keeping: inCluster };
	if (stored !== undefined) throw over(context, stored);
	if (id !== null) throw unknown(context, id);
	throw refusal(context, "no operation is unfinished");
}

async function readCluster(
	context: OperationContext,
): Promise<readonly StoredOperation[]> {
	try {
		return await inCluster.read(context);
	} catch (error) {
		throw isSilence(error) ? await withoutRecord(context, error) : error;
	}
}

/** As it is now. Throws OperatorError "refused" when it is finished, or nobody knows it. */
export async function requireUnfinished(
	context: OperationContext,
	{ id, keeping }: { readonly id: string; readonly keeping: Keeping },
): Promise<OperationRecord> {
	const stored = (await keeping.read(context)).find((one) => one.id === id);
	if (stored?.unfinished) return parseRecord(stored);
	throw stored === undefined ? unknown(context, id) : over(context, stored);
}

function unknown(context: OperationContext, id: string): OperatorError {
	return refusal(context, `the journal knows no operation ${id}`);
}

function over(
	context: OperationContext,
	stored: StoredOperation,
): OperatorError {
	const { state } = parseRecord(stored);
	return refusal(
		context,
		`operation ${stored.id} is finished already: ${state}`,
	);
}

function refusal(context: OperationContext, message: string): OperatorError {
	return new OperatorError("refused", message, {
		state: "nothing was touched",
		next: commandFor(context, "operation list"),
	});
}
