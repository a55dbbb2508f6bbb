import { join } from "node:path";
import { embeddedConfig } from "../balancers/embedded/config.js";
import type { EmbeddedBalancerEntry } from "../config/inventory.js";
import type { Service } from "../hosts/host.js";
import type { OperationContext } from "./context.js";
import { configMode } from "./node-config.js";

const name = "balancer";

/** The embedded balancer as a program on its host. */
export function balancerService(
	context: OperationContext,
	{ host }: EmbeddedBalancerEntry,
): Promise<Service> {
	const { machines, programs } = context;
	return machines.service({
		host,
		name,
		argv: async () => [programs.node, programs.balancer, configPath(context)],
	});
}

/**
 * Brings the balancer's configuration up to date on its host; true when one that runs would be another with it. Of other
 * nodes it can be told, so they do not count.
 */
export async function writeBalancerConfig(
	context: OperationContext,
	balancer: EmbeddedBalancerEntry,
): Promise<boolean> {
	const host = await context.machines.host(balancer.host);
	const path = configPath(context);
	const wanted = rendered(context, balancer);
	const present = await host.read(path);
	if (present !== null && wanted.equals(present)) return false;
	await host.upload(path, wanted, configMode);
	return present === null || withoutNodes(present) !== withoutNodes(wanted);
}

/** Whether `writeBalancerConfig` has nothing to do. Touches nothing. Of other nodes one that runs is told. */
export async function isBalancerConfigured(
	context: OperationContext,
	balancer: EmbeddedBalancerEntry,
	{ isRunning }: { readonly isRunning: boolean },
): Promise<boolean> {
	const host = await context.machines.host(balancer.host);
	const present = await host.read(configPath(context));
	if (present === null) return false;
	const wanted = rendered(context, balancer);
	return isRunning
		? withoutNodes(present) === withoutNodes(wanted)
		: wanted.equals(present);
}

function rendered(
	{ inventory }: OperationContext,
	balancer: EmbeddedBalancerEntry,
): Buffer {
	const config = embeddedConfig({ ...inventory, balancer });
	return Buffer.from(`${JSON.stringify(config, null, 2)}\n`);
}

/** As text to compare; unreadable ones differ from every other. */
function withoutNodes(content: Uint8Array): string {
	const text = Buffer.from(content).toString("utf8");
	try {
		return JSON.stringify({ ...JSON.parse(text), backends: [] });
	} catch {
		return text;
	}
}

function configPath({ inventory }: OperationContext): string {
	return join(inventory.stateDirectory, name, "balancer.json");
}
