import { ChangeRefusedError } from "../../cluster/change-refused.js";
import type {
	MemberStatus,
	MembershipChange,
	NodeStatus,
} from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import { OperatorError } from "../../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
	refOf,
} from "../context.js";
import type { OperationLock } from "../lock.js";
import { isJoint } from "../membership/members.js";
import { type Skip, waivedBy } from "../membership/options.js";
import { isPassing, refusedChange } from "../membership/refusal.js";
import { judgeChange } from "../membership/verdict.js";
import { isSilence, isTimeout, waitUntil } from "../wait.js";
import type { Step } from "./step.js";

/** Long enough for an election and a change that another began; short enough not to hang a pipeline. */
const changeTimeoutMs = 20_000;
/** A change is answered when it is committed: that takes as long as the slowest voter that is needed. */
const changeCallTimeoutMs = 10_000;
const guardTimeoutMs = 8_000;

interface ChangeStep {
	/** The step's name is `<node>/<name>`. */
	readonly node: string;
	readonly name: string;
	readonly title: string;
	readonly cost: string;
	/** True once the members are as they are to be. */
	readonly isReached: (members: readonly MemberStatus[]) => boolean;
	/** What is left to change. Throws when it makes no sense any more. */
	readonly changes: (
		members: readonly MemberStatus[],
	) => Promise<readonly MembershipChange[]>;
	/** Why there is nothing to do, when there is nothing. */
	readonly done: string;
	readonly skip: Skip;
	readonly changed: (changes: readonly MembershipChange[]) => void;
}

/**
 * Changes the membership, as one change, or finds it changed. Right before it, the voters that there would be are counted
 * from fresh answers: without a connected majority among them it is refused (P28). Asked of the configuration that was
 * looked at, and of no other; an answer that never came is found out by looking again.
 */
export function changeMembershipStep(
	context: OperationContext,
	lock: OperationLock,
	wish: ChangeStep,
): Step {
	return {
		id: `${wish.node}/${wish.name}`,
		title: wish.title,
		node: wish.node,
		cost: wish.cost,
		async isDone() {
			const leader = confirmedLeader(await lookAtCluster(context, lock.signal));
			if (leader === null || isJoint(leader.members)) return null;
			return wish.isReached(leader.members) ? wish.done : null;
		},
		guard: () => requireQuorumAfter(context, lock, wish),
		async run(signal, progress) {
			// What an attempt without an answer may have done.
			let made: readonly MembershipChange[] = [];
			let index = 0;
			await waitUntil(context, {
				name: `the change: ${wish.title}`,
				node: wish.node,
				timeoutMs: changeTimeoutMs,
				signal,
				progress,
				probe: async () => {
					const facts = await lookAtCluster(context, signal);
					const found = await nextChanges(context, facts, wish);
					if (typeof found === "string") return found;
					index = found.leader.configurationIndex;
					if (found.changes.length === 0) return null;
					made = found.changes;
					const outcome = await attempt(context, lock, { ...wish, ...found });
					if (typeof outcome === "string") return outcome;
					index = outcome.index;
					return null;
				},
			});
			wish.changed(made);
			return `configuration ${index}`;
		},
	};
}

/** What to change now, or why nothing can be now. */
async function nextChanges(
	context: OperationContext,
	facts: ClusterFacts,
	wish: ChangeStep,
): Promise<string | Omit<Attempt, "skip">> {
	const leader = confirmedLeader(facts);
	if (leader === null) return "no leader that a quorum confirms";
	if (isJoint(leader.members)) return "the old and the new voters decide yet";
	const changes = wish.isReached(leader.members)
		? []
		: await wish.changes(leader.members);
	if (changes.length === 0 || wish.skip.includes("quorum"))
		return { leader, changes };
	const { safe, reason } = judgeChange(facts, changes, healthLimits(context));
	return safe ? { leader, changes } : reason;
}

interface Attempt {
	readonly leader: NodeStatus;
	readonly changes: readonly MembershipChange[];
	readonly skip: Skip;
}

async function attempt(
	context: OperationContext,
	lock: OperationLock,
	{ leader, changes, skip }: Attempt,
): Promise<string | { readonly index: number }> {
	const entry = context.inventory.nodes.find(({ id }) => id === leader.nodeId);
	if (entry === undefined) return `${leader.nodeId} is not in the cluster file`;
	try {
		return await context.engine.changeMembership(
			refOf(entry),
			{
				changes,
				expectedIndex: leader.configurationIndex,
				waived: waivedBy(skip),
				fencingToken: lock.fencingToken,
			},
			// Deaf to Ctrl-C: once it is asked for, how it ends must be known.
			{ timeoutMs: changeCallTimeoutMs },
		);
	} catch (error) {
		if (error instanceof ChangeRefusedError) {
			if (isPassing(error)) return error.message;
			throw refusedChange(context, error);
		}
		if (isSilence(error)) return error.message;
		throw error;
	}
}

/** Refused before the step counts as begun, so that an operation that got no further has touched nothing. */
async function requireQuorumAfter(
	context: OperationContext,
	{ signal }: OperationLock,
	wish: ChangeStep,
): Promise<void> {
	let reason = "";
	await waitUntil(context, {
		name: `a quorum after the change: ${wish.title}`,
		...{ node: wish.node, timeoutMs: guardTimeoutMs, signal },
		probe: async () => {
			const facts = await lookAtCluster(context, signal);
			const found = await nextChanges(context, facts, wish);
			if (typeof found !== "string") return null;
			reason = found;
			return found;
		},
	}).catch((error: unknown) => {
		if (!isTimeout(error)) throw error;
		throw new OperatorError(
			"refused",
			`it is not safe to ${wish.title}: ${reason}`,
			{
				node: wish.node,
				state: "the membership was not changed",
				next: commandFor(context, "status"),
				cause: error,
			},
		);
	});
}
