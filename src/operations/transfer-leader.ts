import { confirmedLeader, voterFault } from "../cluster/health.js";
import { OperatorError } from "../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
} from "./context.js";
import { nodeNamed } from "./node-named.js";
import type { Operation, OperationReport, Own, Watched } from "./operation.js";
import type { PlanReport } from "./plan.js";
import { planOperation, runOperation } from "./run-operation.js";
import { type Transfer, transferStep } from "./steps/leadership.js";

export interface TransferWish {
	/** Null for the most caught-up voter. */
	readonly to: string | null;
}

export interface TransferReport extends OperationReport {
	readonly from: string;
	readonly to: string;
	/** False when the wished node led already. */
	readonly changed: boolean;
	/** As the old leader measured it; 0 when nothing changed, or an earlier attempt did it. */
	readonly transferMs: number;
}

/** Hands leadership over, and returns once a quorum follows the new leader. */
export async function transferLeader(
	context: OperationContext,
	{ lockWaitMs, canary = {}, ...wish }: TransferWish & Watched,
): Promise<TransferReport> {
	const make = () => transferOperation(wish);
	return runOperation(context, make, {
		lockWaitMs,
		canary,
	});
}

/** What `transferLeader` would do now, or the refusal it would end with. Touches nothing. */
export function planTransfer(
	context: OperationContext,
	wish: TransferWish,
): Promise<PlanReport> {
	return planOperation(context, transferOperation(wish));
}

/** Who led before: without a target it is done once somebody else leads. */
interface TransferMemo {
	readonly from: string;
}

/** Killed, it lapses: the transfer came about or did not, and somebody leads. */
export function transferOperation(
	wish: TransferWish,
): Operation<Own<TransferReport>> {
	const { to } = wish;
	let done: Transfer | null = null;
	return {
		...{ name: "transfer-leader", arguments: wish, skip: [], lapses: true },
		text: to === null ? "transfer-leader" : `transfer-leader ${to}`,
		async prepare(context): Promise<TransferMemo> {
			if (to !== null) nodeNamed(context, to);
			return { from: await currentLeader(context, context.signal, to) };
		},
		async steps({ context, lock, memo }) {
			const from = await currentLeader(context, lock.signal, to);
			const isDone =
				to === null ? from !== (memo as TransferMemo).from : from === to;
			if (isDone) return [];
			return [
				transferStep(context, lock, {
					from,
					preferred: () => (to === null ? [] : [to]),
					only: to !== null,
					transferred(transfer) {
						done = transfer;
					},
				}),
			];
		},
		// Whoever leads now may go on leading.
		abortSteps: async () => [],
		async report({ context, lock, memo }) {
			const { from } = memo as TransferMemo;
			const facts = await lookAtCluster(context, lock.signal);
			const to = done?.to ?? confirmedLeader(facts)?.nodeId ?? from;
			return {
				...{ from: done?.from ?? from, to, changed: from !== to },
				transferMs: done?.durationMs ?? 0,
			};
		},
	};
}

async function currentLeader(
	context: OperationContext,
	signal: AbortSignal,
	to: string | null,
): Promise<string> {
	const facts = await lookAtCluster(context, signal);
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
