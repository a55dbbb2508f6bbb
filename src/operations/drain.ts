import { type ClusterFacts, statusOf } from "../cluster/facts.js";
import { OperatorError } from "../errors.js";
import { commandFor, lookAtCluster, type OperationContext } from "./context.js";
import { nodeNamed } from "./node-named.js";
import type {
	Operation,
	OperationReport,
	Own,
	Run,
	Watched,
} from "./operation.js";
import type { PlanReport } from "./plan.js";
import { planOperation, runOperation } from "./run-operation.js";
import { loneBackendFault, lookAtBalancer } from "./steps/balancer-view.js";
import { drainLeaseMs, holdDrain } from "./steps/drain-hold.js";
import {
	announceDrainStep,
	closeConnectionsStep,
	type DrainSteps,
	leaveDrainedStep,
} from "./steps/drain-node.js";
import { undrainStep } from "./undrain.js";

export interface DrainWish {
	/** Ids, each once. */
	readonly nodes: readonly string[];
	/** The drain ends by itself after this time. */
	readonly forMs: number;
}

export interface DrainReport extends OperationReport {
	readonly nodes: readonly string[];
	/** From the last word to each node. */
	readonly endsInMs: number;
}

/**
 * Moves every connection away from nodes, and keeps new ones away until the lease ends. They vote on. When one of them
 * cannot be drained, none is left drained.
 */
export async function drain(
	context: OperationContext,
	{ lockWaitMs, canary = {}, ...wish }: DrainWish & Watched,
): Promise<DrainReport> {
	const make = () => drainOperation(wish);
	return runOperation(context, make, {
		lockWaitMs,
		canary,
	});
}

/** What `drain` would do now, or the refusal it would end with. Touches nothing. */
export function planDrain(
	context: OperationContext,
	{ nodes }: Pick<DrainWish, "nodes">,
): Promise<PlanReport> {
	return planOperation(context, drainOperation({ nodes, forMs: 0 }));
}

/** Killed, it lapses: the lease of each node that was drained by then ends it. */
export function drainOperation(wish: DrainWish): Operation<Own<DrainReport>> {
	const { nodes, forMs } = wish;
	return {
		...{ name: "drain", arguments: wish, skip: [], lapses: true },
		text: ["drain", ...nodes.map(nodeFlag), `--for ${forMs / 1000}s`].join(" "),
		async prepare(context) {
			for (const id of nodes) nodeNamed(context, id);
			await requireOtherBackend(context, nodes);
			return {};
		},
		async steps(run) {
			const facts = await lookAtCluster(run.context, run.lock.signal);
			const wishes = nodes
				.filter((id) => !(run.isResumed && isLeft(facts, id)))
				.map((id) => wishOf(run, id, facts));
			return [
				...wishes.flatMap((one) => [
					announceDrainStep(run.context, one),
					closeConnectionsStep(run.context, one),
				]),
				...wishes.map((one) => leaveDrainedStep(one, forMs)),
			];
		},
		async abortSteps({ context, lock }) {
			const facts = await lookAtCluster(context, lock.signal);
			// The drain of one that is silent ends with its lease, or with its process.
			return nodes
				.filter((id) => statusOf(facts, id) !== null)
				.map((id) => undrainStep(context, lock, id));
		},
		report: async () => ({ nodes, endsInMs: forMs }),
	};
}

function nodeFlag(id: string): string {
	return `--node ${id}`;
}

/** An earlier attempt came to its end with this node: a lease so long is given last. */
function isLeft(facts: ClusterFacts, id: string): boolean {
	const drain = statusOf(facts, id)?.drain;
	return drain?.draining === true && drain.leaseLeftMs > drainLeaseMs;
}

function wishOf(
	{ context, lock: { fencingToken } }: Run,
	id: string,
	facts: ClusterFacts,
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
	nodes: readonly string[],
): Promise<void> {
	const { balancer, signal } = context;
	if (balancer === null) return;
	const lone = loneBackendFault(await lookAtBalancer(balancer, signal), nodes);
	if (lone === null) return;
	throw new OperatorError("refused", lone, {
		state: "nothing was touched",
		next: commandFor(context, "status"),
	});
}
