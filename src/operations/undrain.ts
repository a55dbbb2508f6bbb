import type { NodeEntry } from "../config/inventory.js";
import { callOptions, type OperationContext, refOf } from "./context.js";
import { type OperationLock, withLock } from "./lock.js";
import { nodeNamed } from "./node-named.js";
import { type PlanReport, planReport, unlocked } from "./plan.js";
import { admitNodeStep } from "./steps/admit-node.js";
import { admissionFault, lookAtBalancer } from "./steps/balancer-view.js";
import { planOf, runSteps, type Step } from "./steps/step.js";

export interface UndrainOptions {
	/** Ids, each once. */
	readonly nodes: readonly string[];
	readonly lockWaitMs: number;
}

export interface UndrainReport {
	readonly operation: "undrain";
	readonly cluster: string;
	readonly nodes: readonly string[];
	readonly durationMs: number;
}

/** Ends nodes' drains, and waits until the balancer sends them connections again. Does nothing where there is none. */
export async function undrain(
	context: OperationContext,
	{ nodes, lockWaitMs }: UndrainOptions,
): Promise<UndrainReport> {
	const startedAt = context.clock.now();
	for (const id of nodes) nodeNamed(context, id);
	const wish = { operation: "undrain", lockWaitMs };
	return withLock(context, wish, async (lock) => {
		const steps = nodes.map((id) => undrainStep(context, lock, id));
		context.emit({ type: "plan", operation: "undrain", steps: planOf(steps) });
		await runSteps(context, steps, lock.signal);
		return {
			operation: "undrain",
			cluster: context.inventory.name,
			nodes,
			durationMs: Math.round(context.clock.now() - startedAt),
		};
	});
}

/** What `undrain` would do now. Touches nothing. */
export async function planUndrain(
	context: OperationContext,
	{ nodes }: Pick<UndrainOptions, "nodes">,
): Promise<PlanReport> {
	const lock = unlocked(context);
	const steps = nodes.map((id) => undrainStep(context, lock, id));
	return planReport(context, "undrain", steps);
}

function undrainStep(
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
