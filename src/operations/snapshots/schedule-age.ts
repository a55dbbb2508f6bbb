import type { NodeStatus, StoredOperation } from "../../cluster/engine.js";
import { OperatorError } from "../../errors.js";
import { type OperationContext, refOf } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { type OperationRecord, parseRecord } from "../journal/record.js";

/** As many finished operations the journal keeps. */
const journalLength = 50;

/**
 * Since when the cluster has the schedule of which none has gone well yet, by its journal: milliseconds since the Unix
 * epoch. Null where that does not matter, or is not known.
 */
export async function scheduledSince(
	{ engine, inventory, signal }: OperationContext,
	speaker: NodeStatus | null,
	timeoutMs: number,
): Promise<number | null> {
	const { snapshotSchedule: schedule, scheduledSnapshot: last } = speaker ?? {};
	const node = inventory.nodes.find(({ id }) => id === speaker?.nodeId);
	if (!schedule || node === undefined) return null;
	// What went well, or failed, tells its own time.
	if (last && (last.succeededAtMs !== null || last.fault !== "")) return null;
	try {
		const stored = await engine.operations(refOf(node), { timeoutMs, signal });
		return setAtMs(stored);
	} catch (error) {
		throwIfEnded(signal);
		// Without a quorum nobody says; status has worse to tell then.
		if (error instanceof OperatorError) return null;
		throw error;
	}
}

/** Of the journal, newest first. One that is full and knows of no schedule has forgotten it: it was set before all else. */
export function setAtMs(stored: readonly StoredOperation[]): number | null {
	const found = stored.find((one) => hasSet(recordOf(one)));
	if (found !== undefined) return found.beganAtMs;
	return stored.length < journalLength
		? null
		: (stored.at(-1)?.beganAtMs ?? null);
}

function hasSet(record: OperationRecord | null): boolean {
	if (record?.operation !== "snapshot schedule" || record.state === "failed")
		return false;
	return (record.arguments as { schedule?: unknown }).schedule !== null;
}

function recordOf(stored: StoredOperation): OperationRecord | null {
	try {
		return parseRecord(stored);
	} catch (error) {
		if (error instanceof OperatorError) return null;
		throw error;
	}
}
