import type { NodeEntry } from "../config/inventory.js";
import { callOptions, type OperationContext, refOf } from "./context.js";
import type { OperationLock } from "./lock.js";
import { nodeNamed } from "./node-named.js";
import type { Operation, OperationReport, Own, Watched } from "./operation.js";
import type { PlanReport } from "./plan.js";
import { planOperation, runOperation } from "./run-operation.js";
import { admitNodeStep } from "./steps/admit-node.js";
import { admissionFault, lookAtBalancer } from "./steps/balancer-view.js";
import type { Step } from "./steps/step.js";

export interface UndrainWish {
	/** Ids, each once. */
	readonly nodes: readonly string[];
}

export interface UndrainReport extends OperationReport {
	readonly nodes: readonly string[];
}

/** Ends nodes' drains, and waits until the balancer sends them connections again. Does nothing where there is none. */
export async function undrain(
	context: OperationContext,
	{ lockWaitMs, canary = {}, ...wish }: UndrainWish & Watched,
): Promise<UndrainReport> {
	const make = () => undrainOperation(wish);
	return runOperation(context, make, {
		lockWaitMs,
		canary,
	});
}

/** What `undrain` would do now. Touches nothing. */
export function planUndrain(
	context: OperationContext,
	wish: UndrainWish,
): Promise<PlanReport> {
	return planOperation(context, undrainOperation(wish));
}

/** Killed, it lapses: a node that was to take connections again either does, or does once its drain's lease ends. */
export function undrainOperation(
	wish: UndrainWish,
): Operation<Own<UndrainReport>> {
	const { nodes } = wish;
	return {
		...{ name: "undrain", arguments: wish, skip: [], lapses: true },
		text: ["undrain", ...nodes.map((id) => `--node ${id}`)].join(" "),
		async prepare(context) {
			for (const id of nodes) nodeNamed(context, id);
			return {};
		},
		steps: async ({ context, lock }) =>
			nodes.map((id) => undrainStep(context, lock, id)),
		// A node that takes connections is as it should be.
		abortSteps: async () => [],
		report: async () => ({ nodes }),
	};
}

export function undrainStep(
	context: OperationContext,
	{ fencingToken, signal }: OperationLock,
	id: string,
): Step {
	const node = nodeNamed(context, id);
	return {
		...admitNodeStep(context, {
			node,
			fencingToken,
			skipBalancer: false,
			admitted: async () => undefined,
		}),
		isDone: async () =>
			(await isInService(context, node, signal))
				? "takes connections already"
				: null,
	};
}

async function isInService(
	{ balancer, engine }: OperationContext,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<boolean> {
	const { drain } = await engine.status(refOf(node), callOptions(signal));
	if (drain.draining) return false;
	if (balancer === null) return true;
	return (
		admissionFault(await lookAtBalancer(balancer, signal), node.id) === null
	);
}
