import { statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { reasonOf } from "../../errors.js";
import type { Service } from "../../hosts/host.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import type { OperationLock } from "../lock.js";
import { waitUntil } from "../wait.js";
import { catchUpFault } from "./await-caught-up.js";
import { awaitAnswer } from "./join-node.js";
import type { Step } from "./step.js";

interface Stopped {
	readonly node: NodeEntry;
	readonly service: Service;
}

/** Starts a node that an operation had stopped; whether it comes up is for the steps after it to see. */
export function startStep(
	lock: OperationLock,
	{ node, service }: Stopped,
): Step {
	return {
		...{ id: `${node.id}/start`, title: "start it again", node: node.id },
		...{ cost: "", committed: true },
		// A host cannot check a fencing token.
		guard: () => lock.requireFresh(),
		async run() {
			await service.start();
			return null;
		},
	};
}

/**
 * Starts a member that stays and is down, so that giving up leaves no dead one behind. One that does not come up is only
 * warned about: an abort that could not end would be worse. `cluster/agree` names it then as silent.
 */
export function startAgainStep(
	context: OperationContext,
	lock: OperationLock,
	{ node, service }: Stopped,
): Step {
	return {
		id: `${node.id}/start`,
		title: "start it again if it is down",
		node: node.id,
		cost: "",
		async isDone() {
			const facts = await lookAtCluster(context, lock.signal);
			return statusOf(facts, node.id) === null ? null : "it runs";
		},
		async run(signal, progress) {
			// A host cannot check a fencing token.
			await lock.requireFresh();
			try {
				await service.start(signal);
				await awaitAnswer(context, { node, service }, { signal, progress });
				await awaitSound(context, node, { signal, progress });
				return "it runs again";
			} catch (error) {
				throwIfEnded(signal);
				const message = `${node.id} does not come up as it should: ${reasonOf(error)}`;
				context.emit({ type: "warning", node: node.id, message });
				return "it did not come up";
			}
		},
	};
}

/** For as long as a start may take; one that has more to catch up on goes on by itself. */
async function awaitSound(
	context: OperationContext,
	{ id }: NodeEntry,
	how: Pick<Parameters<typeof waitUntil>[1], "signal" | "progress">,
): Promise<void> {
	await waitUntil(context, {
		...{ name: `${id} to catch up`, node: id, ...how },
		timeoutMs: context.inventory.roll.startTimeoutMs,
		probe: async () =>
			catchUpFault(context, await lookAtCluster(context, how.signal), id),
	});
}
