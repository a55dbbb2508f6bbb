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
import { type PlanReport, planReport, unlocked } from "./plan.js";
import { type Transfer, transferStep } from "./steps/leadership.js";
import { planOf, runSteps, type Step } from "./steps/step.js";

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
		let done: Transfer = { from, to: from, durationMs: 0 };
		const step = stepFor(context, lock, {
			from,
			to,
			transferred: (transfer) => {
				done = transfer;
			},
		});
		const { emit } = context;
		emit({
			type: "plan",
			operation: "transfer-leader",
			steps: planOf([step]),
		});
		await runSteps(context, [step], lock.signal);
		return { ...report, ...done, changed: true };
	});
}

/** What `transferLeader` would do now, or the refusal it would end with. Touches nothing. */
export async function planTransfer(
	context: OperationContext,
	{ to }: Pick<TransferOptions, "to">,
): Promise<PlanReport> {
	if (to !== null) nodeNamed(context, to);
	const lock = unlocked(context);
	const from = await currentLeader(context, lock, to);
	const transferred = () => undefined;
	const steps =
		from === to ? [] : [stepFor(context, lock, { from, to, transferred })];
	return planReport(context, "transfer-leader", steps);
}

function stepFor(
	context: OperationContext,
	lock: OperationLock,
	{
		from,
		to,
		transferred,
	}: {
		readonly from: string;
		readonly to: string | null;
		readonly transferred: (transfer: Transfer) => void;
	},
): Step {
	return transferStep(context, lock, {
		from,
		preferred: () => (to === null ? [] : [to]),
		only: to !== null,
		transferred,
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
