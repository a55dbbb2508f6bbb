import type { MemberStatus } from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import { confirmedLeader, voterFault } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Service } from "../../hosts/host.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import { memberOf } from "../membership/members.js";
import { catchUpText } from "../membership/refusal.js";
import { isTimeout, waitUntil } from "../wait.js";
import { logTailOf } from "./running.js";
import type { Step } from "./step.js";

interface CaughtUpStep {
	readonly node: NodeEntry;
	/** Null where its process is not known from here. */
	readonly service: Service | null;
	readonly timeoutMs: number;
	/** True once it is the member that it is to be. */
	readonly isJoined: (members: readonly MemberStatus[]) => boolean;
}

/**
 * Waits until a learner has caught up by its leader's word and is ready by its own, telling how far it has to go, at which
 * rate, and how long that will take (P26).
 */
export function awaitCaughtUpStep(
	context: OperationContext,
	{ node, service, timeoutMs, isJoined }: CaughtUpStep,
): Step {
	return {
		id: `${node.id}/catch-up`,
		title: "wait until it has caught up",
		node: node.id,
		cost: "its leader sends it what it lacks, a snapshot first if need be",
		looks: true,
		async isDone() {
			const facts = await lookAtCluster(context);
			const leader = confirmedLeader(facts);
			if (leader === null || !isJoined(leader.members)) return null;
			return catchUpFault(context, facts, node.id) === null
				? "it has caught up"
				: null;
		},
		async run(signal, progress) {
			const { clock } = context;
			const startedAt = clock.now();
			await waitUntil(context, {
				name: `${node.id} to catch up`,
				node: node.id,
				timeoutMs,
				signal,
				progress,
				probe: async () => {
					if (service !== null) await requireUp(context, node, service);
					const facts = await lookAtCluster(context, signal);
					return catchUpFault(context, facts, node.id);
				},
			}).catch((error: unknown) => {
				throw stillLagging(node, error);
			});
			return `after ${Math.round((clock.now() - startedAt) / 1000)} s`;
		},
	};
}

/** How far the member has yet to go, with numbers, or what else is amiss; null when it has caught up. */
export function catchUpFault(
	context: OperationContext,
	facts: ClusterFacts,
	node: string,
): string | null {
	const leader = confirmedLeader(facts);
	if (leader === null) return "no leader that a quorum confirms";
	const member = memberOf(leader.members, node);
	if (member === null) return `${node} is not a member`;
	if (leader.nodeId === node) return null;
	const view = leader.followers.find(({ id }) => id === node);
	if (view === undefined) return `the leader does not list ${node} yet`;
	if (!view.counted)
		return `the log of ${node} went back; what it says is not believed`;
	if (!view.catchUp.caughtUp) return catchUpText(view.catchUp);
	const fault = voterFault(facts, {
		...{ leader, node, limits: healthLimits(context) },
	});
	return fault === null ? null : `${node} ${fault}`;
}

/** Nobody here would start it again: who waits for what is down waits in vain. */
async function requireUp(
	context: OperationContext,
	{ id }: NodeEntry,
	service: Service,
): Promise<void> {
	const state = await service.state();
	if (state.running) return;
	const exit = state.exit === null ? "" : ` (${state.exit})`;
	throw new OperatorError("partial", `${id} does not run${exit}`, {
		node: id,
		problems: await logTailOf(service),
		state: `${id} is down; ${commandFor(context, "up")} starts it`,
	});
}

function stillLagging({ id }: NodeEntry, error: unknown): unknown {
	if (!isTimeout(error)) return error;
	return new OperatorError("timeout", error.message, {
		node: id,
		state: `${id} is a learner, and goes on catching up`,
		cause: error,
	});
}
