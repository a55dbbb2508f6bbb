import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Service } from "../../hosts/host.js";
import { throwIfEnded } from "../interruption.js";
import { nodeService } from "../node-service.js";
import { awaitReadyStep } from "../steps/await-ready.js";
import type { Step } from "../steps/step.js";
import type { Passage, Roll } from "./roll.js";

interface InHand {
	readonly node: NodeEntry;
	readonly service: Service;
	readonly passage: Passage;
}

/**
 * A node that does not become ready with what it was given is given back what it ran before, and brought back into
 * service: whoever is paged finds a whole cluster. The step fails all the same.
 */
export function orTakenBack(
	roll: Roll,
	{ node, service, passage }: InHand,
	step: Step,
): Step {
	const { context, goal, memo, lock } = roll;
	const { takeBack } = goal;
	if (takeBack === null) return step;
	return {
		...step,
		async run(signal, progress) {
			try {
				return await step.run(signal, progress);
			} catch (cause) {
				throwIfEnded(signal);
				await lock.requireFresh();
				progress(`${reasonOf(cause)}; taking it back`);
				const former = await takeBack(context, node, memo);
				await restartAgain(roll, { node, service, passage }, signal);
				passage.takenBackTo = former;
				throw new OperatorError("partial", reasonOf(cause), {
					node: node.id,
					problems:
						cause instanceof OperatorError ? (cause.problems ?? []) : [],
					cause,
				});
			}
		},
	};
}

async function restartAgain(
	{ context, settings }: Roll,
	{ node, service }: InHand,
	signal: AbortSignal,
): Promise<void> {
	// It may hang rather than be gone; what it has acknowledged is on its disk.
	await service
		.stop(settings.stopTimeoutMs, signal)
		.catch(() => service.kill());
	const former = await nodeService(context, node);
	await former.start();
	const ready = awaitReadyStep(context, {
		...{ node, service: former, formerProcessId: () => null },
		...{ startTimeoutMs: settings.startTimeoutMs, settleMs: 0 },
		ready: () => {},
	});
	await ready.run(signal, () => {});
}
