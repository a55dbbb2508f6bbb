import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { confirmedLeader, judgeQuorum } from "../../cluster/health.js";
import { OperatorError } from "../../errors.js";
import {
	callTimeoutMs,
	healthLimits,
	lookAtCluster,
	type OperationContext,
	refOf,
} from "../context.js";
import type { OperationLock } from "../lock.js";
import { isSilence, waitUntil } from "../wait.js";
import type { Step } from "./step.js";

export interface Transfer {
	readonly from: string;
	readonly to: string;
	/** As the old leader measured it: from refusing proposals to knowing its successor. */
	readonly durationMs: number;
}

interface TransferWish {
	/** The leader now. */
	readonly from: string;
	/** Asked in this order of preference among sound voters: first all of these, then, without `only`, the others. */
	readonly preferred: readonly string[];
	/** True: nobody but the preferred. */
	readonly only: boolean;
}

/**
 * Hands leadership over to the most caught-up of the preferred voters, and returns once a quorum follows another
 * leader. A refused or failed attempt leaves the old leader serving, so the next candidate is asked.
 */
export async function transferLeadership(
	context: OperationContext,
	lock: OperationLock,
	wish: TransferWish,
	progress: (note: string) => void = () => undefined,
): Promise<Transfer> {
	const { transferTimeoutMs } = context.inventory.timing;
	let attempts = 0;
	let done: Transfer | null = null;
	await waitUntil(context, {
		name: `leadership to leave ${wish.from}`,
		node: wish.from,
		timeoutMs: 3 * (transferTimeoutMs + callTimeoutMs),
		signal: lock.signal,
		progress,
		probe: async () => {
			const facts = await lookAtCluster(context, lock.signal);
			const leader = confirmedLeader(facts);
			if (leader === null) return "no leader that a quorum confirms";
			if (leader.nodeId !== wish.from) {
				done ??= { from: wish.from, to: leader.nodeId, durationMs: 0 };
				done = { ...done, to: leader.nodeId };
				return null;
			}
			const candidates = candidatesFor(context, facts, wish);
			const target = candidates[attempts % Math.max(1, candidates.length)];
			if (target === undefined) return noCandidate(context, facts, wish);
			attempts += 1;
			const outcome = await attempt(context, lock, { ...wish, target });
			if (typeof outcome === "string") return outcome;
			done = outcome;
			return `${target} to be followed by a quorum`;
		},
	});
	if (done !== null) return done;
	throw new OperatorError("unexpected", "no transfer", { node: wish.from });
}

async function attempt(
	context: OperationContext,
	lock: OperationLock,
	{ from, target }: { readonly from: string; readonly target: string },
): Promise<Transfer | string> {
	const entry = context.inventory.nodes.find(({ id }) => id === from);
	if (entry === undefined) return `${from} is not in the cluster file`;
	try {
		const { leader, durationMs } = await context.engine.transferLeadership(
			refOf(entry),
			target,
			lock.fencingToken,
			{
				timeoutMs: context.inventory.timing.transferTimeoutMs + callTimeoutMs,
				signal: lock.signal,
			},
		);
		return { from, to: leader, durationMs };
	} catch (error) {
		// Refused (lagging, unreachable, one under way already) or silent: the next look tells what became of it.
		if (isSilence(error)) return error.message;
		if (error instanceof OperatorError && error.kind === "refused")
			return error.message;
		throw error;
	}
}

/** Sound voters other than the leader: the preferred first, and each group by how much of the log it has. */
function candidatesFor(
	context: OperationContext,
	facts: ClusterFacts,
	{ from, preferred, only }: TransferWish,
): readonly string[] {
	const leader = statusOf(facts, from);
	const matchOf = (id: string) =>
		leader?.followers.find((view) => view.id === id)?.match ?? 0;
	const able = judgeQuorum(facts, healthLimits(context)).sound.filter(
		(id) => id !== from && statusOf(facts, id)?.drain.draining === false,
	);
	const rank = (id: string) => (preferred.includes(id) ? 0 : 1);
	return able
		.filter((id) => !only || preferred.includes(id))
		.sort((a, b) => rank(a) - rank(b) || matchOf(b) - matchOf(a));
}

function noCandidate(
	context: OperationContext,
	facts: ClusterFacts,
	wish: TransferWish,
): string {
	const { faults } = judgeQuorum(facts, healthLimits(context));
	const wished = faults.find(({ node }) => wish.preferred.includes(node));
	return wished === undefined
		? "no other voter is up, caught up and not draining"
		: `${wished.node} ${wished.fault}`;
}

interface TransferStep {
	readonly from: string;
	/** Read when the step runs: a roll prefers nodes that are restarted by then, as leadership must not move again. */
	readonly preferred: () => readonly string[];
	/** True: nobody but the preferred. */
	readonly only: boolean;
	readonly transferred: (transfer: Transfer) => void;
}

export function transferStep(
	context: OperationContext,
	lock: OperationLock,
	{ from, preferred, only, transferred }: TransferStep,
): Step {
	return {
		id: `${from}/transfer`,
		// Whoever leads now may go on leading: nothing is half done.
		undo: async () => undefined,
		title: "hand its leadership over",
		node: from,
		cost: `writes wait for the handover, at most ${context.inventory.timing.transferTimeoutMs} ms an attempt`,
		async run(_signal, progress) {
			const wish = { from, preferred: preferred(), only };
			const transfer = await transferLeadership(context, lock, wish, progress);
			transferred(transfer);
			return `to ${transfer.to} in ${Math.round(transfer.durationMs)} ms`;
		},
	};
}
