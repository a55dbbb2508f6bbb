import type { NodeEntry } from "../../config/inventory.js";
import type { Service } from "../../hosts/host.js";
import type { OperationContext } from "../context.js";
import type { DrainHold } from "./drain-hold.js";
import type { Step } from "./step.js";

interface RestartStep {
	readonly node: NodeEntry;
	readonly service: Service;
	readonly hold: DrainHold;
	/** Throws unless it may be stopped now: the operation's lock is held for certain, and the quorum survives it. */
	readonly requireStoppable: () => Promise<void>;
	/** Brings what the node reads at its start up to date, where that must not be done before the stop. */
	readonly configure?: () => Promise<unknown>;
	readonly stopTimeoutMs: number;
	readonly cost: string;
	/** Called right before the node is asked to stop, with the clock's milliseconds. */
	readonly stopping: (atMs: number) => void;
	readonly started: () => void;
}

/** Stop and start are one step: a node must not stay down because somebody pressed Ctrl-C in between. */
export function restartStep(
	context: OperationContext,
	wish: RestartStep,
): Step {
	const { node, service, hold, stopTimeoutMs, cost, stopping, started } = wish;
	return {
		id: `${node.id}/restart`,
		title: "stop and start",
		node: node.id,
		cost,
		committed: true,
		// A host cannot check a fencing token. A machine that slept has not noticed yet that its lock ran out.
		guard: wish.requireStoppable,
		async run(_signal, progress) {
			const { clock } = context;
			await wish.configure?.();
			await hold.abandon();
			const stoppingAt = clock.now();
			stopping(stoppingAt);
			context.ledger?.stopping(node.id, stoppingAt);
			await service.stop(stopTimeoutMs);
			const stopMs = Math.round(clock.now() - stoppingAt);
			progress(`stopped after ${stopMs} ms`);
			await service.start();
			started();
			return `stopped after ${stopMs} ms, started`;
		},
	};
}
