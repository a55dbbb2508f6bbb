import { type ClusterFacts, statusOf } from "../cluster/facts.js";
import { OperatorError } from "../errors.js";
import { commandFor, lookAtCluster, type OperationContext } from "./context.js";
import { type OperationLock, withLock } from "./lock.js";
import { nodeNamed } from "./node-named.js";
import { type PlanReport, planReport, unlocked } from "./plan.js";
import { loneBackendFault, lookAtBalancer } from "./steps/balancer-view.js";
import { holdDrain } from "./steps/drain-hold.js";
import {
	announceDrainStep,
	closeConnectionsStep,
	type DrainSteps,
	leaveDrainedStep,
} from "./steps/drain-node.js";
import { planOf, runSteps, type Step } from "./steps/step.js";

export interface DrainOptions {
	/** Ids, each once. */
	readonly nodes: readonly string[];
	/** The drain ends by itself after this time. */
	readonly forMs: number;
	readonly lockWaitMs: number;
}

export interface DrainReport {
	readonly operation: "drain";
	readonly cluster: string;
	readonly nodes: readonly string[];
	/** From the last word to each node. */
	readonly endsInMs: number;
	readonly durationMs: number;
}

/**
 * Moves every connection away from nodes, and keeps new ones away until the lease ends. They vote on. When one of them
 * cannot be drained, none is left drained.
 */
export async function drain(
	context: OperationContext,
	{ nodes, forMs, lockWaitMs }: DrainOptions,
): Promise<DrainReport> {
	const startedAt = context.clock.now();
	for (const id of nodes) nodeNamed(context, id);
	const wish = { operation: "drain", lockWaitMs };
	return withLock(context, wish, async (lock) => {
		const steps = await drainSteps(context, lock, { nodes, forMs });
		context.emit({ type: "plan", operation: "drain", steps: planOf(steps) });
		await runSteps(context, steps, lock.signal);
		return {
			operation: "drain",
			cluster: context.inventory.name,
			nodes,
			endsInMs: forMs,
			durationMs: Math.round(context.clock.now() - startedAt),
		};
	});
}

/** What `drain` would do now, or the refusal it would end with. Touches nothing. */
export async function planDrain(
	context: OperationContext,
	{ nodes }: Pick<DrainOptions, "nodes">,
): Promise<PlanReport> {
	for (const id of nodes) nodeNamed(context, id);
	const lock = unlocked(context);
	const steps = await drainSteps(context, lock, { nodes, forMs: 0 });
	return planReport(context, "drain", steps);
}

async function drainSteps(
	context: OperationContext,
	lock: OperationLock,
	{ nodes, forMs }: Pick<DrainOptions, "nodes" | "forMs">,
): Promise<readonly Step[]> {
	await requireOtherBackend(context, lock, nodes);
	const facts = await lookAtCluster(context, lock.signal);
	const wishes = nodes.map((id) => wishOf(context, lock, { id, facts }));
	return [
		...wishes.flatMap((wish) => [
			announceDrainStep(context, wish),
			closeConnectionsStep(context, wish),
		]),
		...wishes.map((wish) => leaveDrainedStep(wish, forMs)),
	];
}

function wishOf(
	context: OperationContext,
	{ fencingToken }: OperationLock,
	{ id, facts }: { readonly id: string; readonly facts: ClusterFacts },
): DrainSteps {
	const { closeOverMs, drainTimeoutMs } = context.inventory.roll;
	const node = nodeNamed(context, id);
	const connections = statusOf(facts, id)?.connections.total ?? 0;
	return {
		node,
		hold: holdDrain(context, { node, fencingToken }),
		closeOverMs,
		timeoutMs: drainTimeoutMs,
		cost: `${connections} connections move, over ${closeOverMs} ms`,
		skipBalancer: false,
		skipDrain: false,
	};
}

async function requireOtherBackend(
	context: OperationContext,
	{ signal }: OperationLock,
	nodes: readonly string[],
): Promise<void> {
	if (context.balancer === null) return;
	const lone = loneBackendFault(
		await lookAtBalancer(context.balancer, signal),
		nodes,
	);
	if (lone === null) return;
	throw new OperatorError("refused", lone, {
		state: "nothing was touched",
		next: commandFor(context, "status"),
	});
}
