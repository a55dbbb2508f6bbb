import type { OperationContext } from "./context.js";
import { withLock } from "./lock.js";
import { nodeNamed } from "./node-named.js";
import { holdDrain } from "./steps/drain-hold.js";
import { announceDrainStep, closeConnectionsStep } from "./steps/drain-node.js";
import { planOf, runSteps } from "./steps/step.js";

export interface DrainOptions {
	readonly node: string;
	/** The drain ends by itself after this time. */
	readonly forMs: number;
	readonly lockWaitMs: number;
}

interface DrainReport {
	readonly operation: "drain";
	readonly cluster: string;
	readonly node: string;
	/** From the last word to the node. */
	readonly endsInMs: number;
	readonly durationMs: number;
}

/** Moves every connection away from a node, and keeps new ones away until the lease ends. The node votes on. */
export async function drain(
	context: OperationContext,
	{ node: id, forMs, lockWaitMs }: DrainOptions,
): Promise<DrainReport> {
	const startedAt = context.clock.now();
	const { inventory, emit } = context;
	const node = nodeNamed(context, id);
	const wish = { operation: "drain", lockWaitMs };
	return withLock(context, wish, async (lock) => {
		const shared = {
			node,
			hold: holdDrain(context, {
				node,
				fencingToken: lock.fencingToken,
				leaseMs: forMs,
			}),
			closeOverMs: inventory.roll.closeOverMs,
			timeoutMs: inventory.roll.drainTimeoutMs,
			cost: `its connections move, over ${inventory.roll.closeOverMs} ms`,
			skipBalancer: false,
			skipDrain: false,
		};
		const steps = [
			announceDrainStep(context, shared),
			closeConnectionsStep(context, shared),
		];
		emit({ type: "plan", operation: "drain", steps: planOf(steps) });
		await runSteps(context, steps, lock.signal);
		return {
			operation: "drain",
			cluster: inventory.name,
			node: id,
			endsInMs: forMs,
			durationMs: Math.round(context.clock.now() - startedAt),
		};
	});
}
