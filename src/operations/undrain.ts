import type { OperationContext } from "./context.js";
import { withLock } from "./lock.js";
import { nodeNamed } from "./node-named.js";
import { admitNodeStep } from "./steps/admit-node.js";
import { planOf, runSteps } from "./steps/step.js";

interface UndrainReport {
	readonly operation: "undrain";
	readonly cluster: string;
	readonly node: string;
	readonly durationMs: number;
}

/** Ends a node's drain, and waits until the balancer sends it connections again. Does nothing where there is none. */
export async function undrain(
	context: OperationContext,
	options: { readonly node: string; readonly lockWaitMs: number },
): Promise<UndrainReport> {
	const startedAt = context.clock.now();
	const node = nodeNamed(context, options.node);
	const wish = { operation: "undrain", lockWaitMs: options.lockWaitMs };
	return withLock(context, wish, async (lock) => {
		const steps = [
			admitNodeStep(context, {
				node,
				fencingToken: lock.fencingToken,
				skipBalancer: false,
				admitted: async () => undefined,
			}),
		];
		context.emit({ type: "plan", operation: "undrain", steps: planOf(steps) });
		await runSteps(context, steps, lock.signal);
		return {
			operation: "undrain",
			cluster: context.inventory.name,
			node: node.id,
			durationMs: Math.round(context.clock.now() - startedAt),
		};
	});
}
