import type { Inventory } from "../../config/inventory.js";
import { writeBalancerConfig } from "../balancer-service.js";
import type { OperationContext } from "../context.js";
import { isSilence, waitUntil } from "../wait.js";
import { balancerLimitMs, lookAtBalancer } from "./balancer-view.js";
import type { Step } from "./step.js";

/**
 * Tells the balancer which nodes there are once the cluster file says `inventory`. A new one gets connections then, and
 * connections to one that goes end by themselves. A balancer that does not answer is told when `up` starts it.
 */
export function renewBackendsStep(
	context: OperationContext,
	inventory: Inventory,
	name: "nodes" | "newcomer" | "addresses" = "nodes",
): readonly Step[] {
	const { balancer } = context;
	const entry = inventory.balancer;
	if (balancer === null || entry === null) return [];
	const wanted = inventory.nodes.map(({ id }) => id);
	const missing = async (signal: AbortSignal) => {
		const known = await lookAtBalancer(balancer, signal);
		const names = new Set(known.map(({ node }) => node));
		return names.size === wanted.length && wanted.every((id) => names.has(id))
			? null
			: `it has ${[...names].join(", ")}`;
	};
	return [
		{
			id: `balancer/${name}`,
			title:
				name === "addresses"
					? "tell the balancer where the nodes are"
					: "tell the balancer which nodes there are",
			node: null,
			cost: "",
			async isDone() {
				// It tells who they are, not where it looks for them.
				if (name === "addresses") return null;
				try {
					return (await missing(context.signal)) === null
						? "it has them already"
						: null;
				} catch (error) {
					if (isSilence(error)) return null;
					throw error;
				}
			},
			async run(signal, progress) {
				if (entry.kind === "embedded")
					await writeBalancerConfig({ ...context, inventory }, entry);
				try {
					await balancer.configure?.(inventory, signal);
					await balancer.reload(signal);
				} catch (error) {
					if (!isSilence(error)) throw error;
					return `${error.message}; it reads them when it starts`;
				}
				await waitUntil(context, {
					name: "the balancer to have the nodes",
					...{ node: null, timeoutMs: balancerLimitMs(balancer) },
					...{ signal, progress, probe: () => missing(signal) },
				});
				return wanted.join(", ");
			},
		},
	];
}
