import { dirname, join } from "node:path";
import { createRaftdEngine } from "../cluster/raftd-engine.js";
import type { Inventory } from "../config/inventory.js";
import { OperatorError } from "../errors.js";
import type { Host } from "../hosts/host.js";
import { localHost } from "../hosts/local.js";
import { localService } from "../hosts/local-service.js";
import { systemClock } from "./clock.js";
import type {
	Holder,
	Machines,
	OperationContext,
	Programs,
} from "./context.js";
import type { Emit } from "./events.js";
import { openBalancer } from "./open-balancer.js";

export interface ContextOptions {
	readonly inventory: Inventory;
	readonly programs: Programs;
	readonly emit: Emit;
	readonly signal: AbortSignal;
	readonly holder: Holder;
	readonly release: string;
}

interface OpenContext extends OperationContext {
	/** Ends every connection to nodes, hosts and the balancer; what runs on the hosts runs on. */
	close(): Promise<void>;
}

/** The real thing behind every operation: raftd's admin port, this machine, the balancer of the cluster file. */
function openContext(options: ContextOptions): OpenContext {
	const { inventory } = options;
	const engine = createRaftdEngine();
	const machines = openMachines(inventory);
	const balancer = openBalancer(inventory, machines);
	return {
		...options,
		engine,
		balancer,
		machines,
		clock: systemClock,
		async close() {
			engine.close();
			await balancer?.close();
			await machines.close();
		},
	};
}

function openMachines({
	stateDirectory,
}: Inventory): Machines & { close(): Promise<void> } {
	const local: Host = localHost();
	const requireLocal = (host: string): void => {
		if (host !== local.name)
			throw new OperatorError(
				"config",
				`host ${host} is not this machine; only "local" can be operated yet`,
			);
	};
	return {
		async host(name) {
			requireLocal(name);
			return local;
		},
		async service({ host, name, argv }) {
			requireLocal(host);
			const logFile = join(stateDirectory, name, "log");
			return localService({
				name,
				argv,
				pidFile: join(stateDirectory, name, "pid"),
				logFile,
				workingDirectory: dirname(stateDirectory),
			});
		},
		close: () => local.close(),
	};
}

/** Runs one operation on the real thing, and lets go of it at the end, however that comes. */
export async function withContext<Result>(
	options: ContextOptions,
	operation: (context: OperationContext) => Promise<Result>,
): Promise<Result> {
	const context = openContext(options);
	try {
		return await operation(context);
	} finally {
		await context.close();
	}
}
