import { balancerService, writeBalancerConfig } from "../balancer-service.js";
import type { OperationContext } from "../context.js";
import { configMode } from "../node-config.js";
import { nodeService, writeNodeConfig } from "../node-service.js";
import type { Step } from "../steps/step.js";
import { contextOf, diskOf, startedPath, wasStarted } from "./new-cluster.js";
import type { Birth } from "./new-cluster-steps.js";

/** All at once: one by one they could form no quorum. */
export function startStep({ run, cluster, requireOutOfService }: Birth): Step {
	const { context } = run;
	const born = contextOf(context, cluster);
	return {
		...{ id: "cluster/start", node: null },
		title: `start ${cluster.chosen.join(", ")}`,
		cost: "from here on it is another cluster, for good",
		async isDone() {
			const disks = await Promise.all(
				born.inventory.nodes.map((node) => diskOf(context, node, cluster)),
			);
			// What runs on other data is the old cluster's, and has yet to be stopped.
			if (disks.some(({ data }) => data !== "new")) return null;
			const states = await Promise.all(
				(await servicesOf(born)).map((service) => service.state()),
			);
			return states.every(({ running }) => running) ? "they run" : null;
		},
		async guard() {
			// Once it was, there is no way back: it may have acknowledged something, and half of it would serve nobody.
			if (!(await wasStarted(context, cluster))) await requireOutOfService();
			await run.lock.requireFresh();
		},
		async run(signal) {
			for (const node of born.inventory.nodes) {
				const host = await context.machines.host(node.host);
				const mark = Buffer.from(`${cluster.clusterId}\n`);
				const path = startedPath(context, cluster, node.host);
				await host.upload(path, mark, configMode);
			}
			await renewBalancer(born);
			// Its data says all that it has to know. With its disk lost it must wait to be added: two such voters of three would
			// found an empty cluster under this very id (P31).
			const { nodes } = born.inventory;
			for (const node of nodes)
				await writeNodeConfig(born, node, { join: nodes });
			const services = await servicesOf(born);
			await Promise.all(services.map((service) => service.start(signal)));
			return null;
		},
	};
}

async function servicesOf(born: OperationContext) {
	const { balancer, nodes } = born.inventory;
	const services = nodes.map((node) => nodeService(born, node));
	if (balancer?.kind === "embedded")
		services.push(balancerService(born, balancer));
	return Promise.all(services);
}

/** It goes by the cluster's id, too: one that was started with another is stopped, and started by whoever called this. */
async function renewBalancer(born: OperationContext): Promise<void> {
	const { balancer, roll } = born.inventory;
	if (balancer?.kind !== "embedded") return;
	const service = await balancerService(born, balancer);
	await service.stop(roll.stopTimeoutMs);
	await writeBalancerConfig(born, balancer);
}
