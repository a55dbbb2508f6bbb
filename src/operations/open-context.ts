import { createRaftdEngine } from "../cluster/raftd-engine.js";
import type { Inventory } from "../config/inventory.js";
import type { SshSurroundings } from "../hosts/ssh/surroundings.js";
import { systemClock } from "./clock.js";
import type { Holder, OperationContext, Programs } from "./context.js";
import { operatorCredentials } from "./credentials.js";
import type { Emit } from "./events.js";
import { openMachines } from "./machines.js";
import { openBalancer } from "./open-balancer.js";

export interface ContextOptions {
	readonly inventory: Inventory;
	readonly programs: Programs;
	readonly emit: Emit;
	readonly signal: AbortSignal;
	readonly holder: Holder;
	readonly release: string;
	readonly ssh: SshSurroundings;
}

interface OpenContext extends OperationContext {
	/** Ends every connection to nodes, hosts and the balancer; what runs on the hosts runs on. */
	close(): Promise<void>;
	/** What an operation ended with, and all hosts that were as dead as the one that it names. */
	failure(error: unknown): Promise<unknown>;
}

/** The real thing behind every operation: raftd's admin port, this machine, the balancer of the cluster file. */
async function openContext(options: ContextOptions): Promise<OpenContext> {
	const { inventory } = options;
	const engine = createRaftdEngine(operatorCredentials(inventory));
	const machines = openMachines(inventory, options.ssh);
	const balancer = await openBalancer(inventory, machines);
	return {
		...options,
		engine,
		balancer,
		machines,
		clock: systemClock,
		failure: (error) => machines.allOf(error),
		async close() {
			engine.close();
			await balancer?.close();
			await machines.close();
		},
	};
}

/** Runs one operation on the real thing, and lets go of it at the end, however that comes. */
export async function withContext<Result>(
	options: ContextOptions,
	operation: (context: OperationContext) => Promise<Result>,
): Promise<Result> {
	const context = await openContext(options);
	try {
		return await operation(context);
	} catch (error) {
		throw await context.failure(error);
	} finally {
		await context.close();
	}
}
