import { confirmedLeader, voterFault } from "../cluster/health.js";
import { OperatorError } from "../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
} from "./context.js";
import { type OperationLock, withLock } from "./lock.js";
import { nodeNamed } from "./node-named.js";
import { type Transfer, transferLeadership } from "./steps/leadership.js";

interface TransferOptions {
	/** Null for the most caught-up voter. */
	readonly to: string | null;
	readonly lockWaitMs: number;
}

interface TransferReport extends Transfer {
	readonly operation: "transfer-leader";
	readonly cluster: string;
	/** False when the wished node led already. */
	readonly changed: boolean;
}

/** Hands leadership over, and returns once a quorum follows the new leader. */
export async function transferLeader(
	context: OperationContext,
	{ to, lockWaitMs }: TransferOptions,
): Promise<TransferReport> {
	if (to !== null) nodeNamed(context, to);
	const wish = { operation: "transfer-leader", lockWaitMs };
	return withLock(context, wish, async (lock) => {
		const from = await currentLeader(context, lock, to);
		const report = {
			operation: "transfer-leader",
			cluster: context.inventory.name,
		} as const;
		if (from === to)
			return { ...report, changed: false, from, to, durationMs: 0 };
		const transfer = await transferLeadership(context, lock, {
			from,
			preferred: to === null ? [] : [to],
			only: to !== null,
		});
		return { ...report, ...transfer, changed: true };
	});
}

async function currentLeader(
	context: OperationContext,
	lock: OperationLock,
	to: string | null,
): Promise<string> {
	const facts = await lookAtCluster(context, lock.signal);
	const leader = confirmedLeader(facts);
	if (leader === null)
		throw new OperatorError("refused", "no leader that a quorum confirms", {
			state: "nothing was touched",
			next: commandFor(context, "status"),
		});
	const fault = to === null ? null : targetFault(context, facts, to);
	if (fault !== null)
		throw new OperatorError("refused", `${to} cannot lead: it ${fault}`, {
			state: `${leader.nodeId} goes on leading`,
			next: commandFor(context, "status"),
		});
	return leader.nodeId;
}

function targetFault(
	context: OperationContext,
	facts: Awaited<ReturnType<typeof lookAtCluster>>,
	to: string,
): string | null {
	const leader = confirmedLeader(facts);
	const member = leader?.members.find(({ id }) => id === to);
	if (member?.role !== "voter") return "is not a voter";
	const known = facts.nodes.find(({ id }) => id === to);
	if (known?.status?.drain.draining) return "is draining";
	return voterFault(facts, {
		leader,
		node: to,
		limits: healthLimits(context),
	});
}
