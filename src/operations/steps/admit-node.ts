import type { NodeEntry } from "../../config/inventory.js";
import { callOptions, type OperationContext, refOf } from "../context.js";
import { waitUntil } from "../wait.js";
import {
	admissionFault,
	balancerLimitMs,
	lookAtBalancer,
} from "./balancer-view.js";
import type { Step } from "./step.js";

interface AdmitStep {
	readonly node: NodeEntry;
	readonly fencingToken: number;
	readonly skipBalancer: boolean;
	/** Called once the node takes connections again. */
	readonly admitted: () => Promise<void>;
}

/** Ends what is left of the drain, and waits until the balancer sends the node connections again. */
export function admitNodeStep(
	context: OperationContext,
	{ node, fencingToken, skipBalancer, admitted }: AdmitStep,
): Step {
	return {
		id: `${node.id}/admit`,
		title: "take it back into service",
		node: node.id,
		cost: "",
		async run(signal, progress) {
			await endDrain(context, node, fencingToken, signal);
			const { balancer } = context;
			if (!skipBalancer) await balancer?.told?.admit(node.id, signal);
			if (balancer !== null && !skipBalancer)
				await waitUntil(context, {
					name: `the balancer to send ${node.id} connections`,
					node: node.id,
					timeoutMs: balancerLimitMs(balancer),
					signal,
					progress,
					probe: async () =>
						admissionFault(await lookAtBalancer(balancer, signal), node.id),
				});
			await admitted();
			return balancer === null || skipBalancer
				? "ready"
				: "the balancer sends it connections";
		},
	};
}

/** A fresh process is not drained, but somebody else's words may have reached it meanwhile. */
async function endDrain(
	{ engine }: OperationContext,
	node: NodeEntry,
	fencingToken: number,
	signal: AbortSignal,
): Promise<void> {
	const { drain } = await engine.status(refOf(node), callOptions(signal));
	if (drain.draining)
		await engine.undrain(refOf(node), fencingToken, callOptions(signal));
}
