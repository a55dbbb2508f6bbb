import type { MembershipChange } from "../../cluster/engine.js";
import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import type { Service } from "../../hosts/host.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import type { OperationLock } from "../lock.js";
import { nodeService } from "../node-service.js";
import type { DrainHold } from "../steps/drain-hold.js";
import type { Transfer } from "../steps/leadership.js";
import type { SafetySnapshot } from "../steps/safety-snapshot.js";
import type { Agreement } from "./members.js";
import type { Skip } from "./options.js";
import { isManaged, type View } from "./view.js";

/** One run of an operation on the members: what it may use, and what has become of it so far. */
export interface Work {
	/** With the cluster file as it was read. */
	readonly base: OperationContext;
	/** With every node in its cluster file that matters to the operation. */
	readonly context: OperationContext;
	/** As the steps were planned; each asks afresh before it acts. */
	readonly view: View;
	readonly lock: OperationLock;
	readonly skip: Skip;
	readonly tally: Tally;
}

/** What this run did, for its report. */
export interface Tally {
	/** As "promote n4", in order. */
	readonly changes: string[];
	readonly transfers: Transfer[];
	snapshot: SafetySnapshot | null;
	agreement: Agreement | null;
	/** What people have to do by hand, or should know. */
	readonly notes: string[];
	/** Drains that this run holds, by node. */
	readonly holds: Map<string, DrainHold>;
	fileChanged: boolean;
}

export function freshTally(): Tally {
	return {
		...{ changes: [], transfers: [], notes: [], holds: new Map() },
		...{ snapshot: null, agreement: null, fileChanged: false },
	};
}

export function countChanges(
	{ tally }: Pick<Work, "tally">,
	changes: readonly MembershipChange[],
): void {
	tally.changes.push(...changes.map(({ type, id }) => `${type} ${id}`));
}

/** Null for a member that nobody knows how to start or stop. */
export async function serviceOf(
	{ context }: Pick<Work, "context">,
	node: NodeEntry,
): Promise<Service | null> {
	return isManaged(node) ? nodeService(context, node) : null;
}

/** Who leads now, by a quorum's word; null when nobody does. */
export async function leaderNow({
	context,
	lock,
}: Pick<Work, "context" | "lock">) {
	return confirmedLeader(await lookAtCluster(context, lock.signal));
}
