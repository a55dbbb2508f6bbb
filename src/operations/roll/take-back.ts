import { statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Service } from "../../hosts/host.js";
import { lookAtCluster } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { awaitReadyStep } from "../steps/await-ready.js";
import type { Step } from "../steps/step.js";
import type { Passage, Roll } from "./roll.js";
import { requireStoppable } from "./stoppable.js";

interface InHand {
	readonly node: NodeEntry;
	readonly service: Service;
	readonly passage: Passage;
}

/**
 * A node that does not become ready with what it was given is given back what it ran before, and brought back into
 * service: whoever is paged finds a whole cluster. The step fails all the same.
 */
export function orTakenBack(roll: Roll, inHand: InHand, step: Step): Step {
	const { goal, memo, context } = roll;
	const { node, passage } = inHand;
	const { former } = goal;
	if (former === null) return step;
	return {
		...step,
		async run(signal, progress) {
			try {
				return await step.run(signal, progress);
			} catch (cause) {
				throwIfEnded(signal);
				if (await isFit(roll, node, signal)) throw cause;
				progress(`${reasonOf(cause)}; taking it back`);
				const stoppable = async () => {
					await requireStoppable(roll, node, { signal, progress }).catch(
						(refusal: unknown) => {
							throwIfEnded(signal);
							const why = `${reasonOf(cause)}; it was not taken back, as ${reasonOf(refusal)}`;
							throw partial(node, why, cause);
						},
					);
				};
				await stoppable();
				const release = await former.giveBack(context, node, memo);
				await restartAgain(roll, inHand, { signal, stoppable });
				passage.takenBackTo = release;
				throw partial(node, reasonOf(cause), cause);
			}
		},
	};
}

/** By its own word. Then it waits for another node, and a restart would mend nothing. */
async function isFit(
	{ context }: Roll,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<boolean> {
	const facts = await lookAtCluster(context, signal);
	return statusOf(facts, node.id)?.ready === true;
}

async function restartAgain(
	{ context, settings }: Roll,
	{ node, service }: InHand,
	{
		signal,
		stoppable,
	}: { readonly signal: AbortSignal; readonly stoppable: () => Promise<void> },
): Promise<void> {
	await stoppable();
	// It may hang rather than be gone; what it has acknowledged is on its disk.
	await service.stop(settings.stopTimeoutMs).catch(() => service.kill());
	await service.start();
	const ready = awaitReadyStep(context, {
		...{ node, service, formerProcessId: () => null },
		...{ startTimeoutMs: settings.startTimeoutMs, settleMs: 0 },
		ready: () => {},
	});
	await ready.run(signal, () => {});
}

function partial(
	node: NodeEntry,
	message: string,
	cause: unknown,
): OperatorError {
	return new OperatorError("partial", message, {
		node: node.id,
		problems: cause instanceof OperatorError ? (cause.problems ?? []) : [],
		cause,
	});
}
