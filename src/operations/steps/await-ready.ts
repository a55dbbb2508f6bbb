import { judgeReadyGate } from "../../cluster/ready-gate.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Service } from "../../hosts/host.js";
import {
	callOptions,
	healthLimits,
	lookAtCluster,
	type OperationContext,
	refOf,
} from "../context.js";
import { isSilence, isTimeout, waitUntil } from "../wait.js";
import { logTailOf, requireRunning } from "./running.js";
import type { Step } from "./step.js";

interface ReadyStep {
	readonly node: NodeEntry;
	readonly service: Service;
	/** Read when the step runs. Null when the node did not answer before the restart. */
	readonly formerProcessId: () => string | null;
	readonly startTimeoutMs: number;
	/** How long the gate must hold without a break. */
	readonly settleMs: number;
	/** Called when the gate first holds, with the clock's milliseconds. */
	readonly ready: (atMs: number) => void;
}

/**
 * Waits until the restarted node is a full member again and has stayed one for the settle time. The index it has to
 * apply is a quorum's commit index taken after the start: a node that hears nobody has no lag by its own count.
 */
export function awaitReadyStep(
	context: OperationContext,
	wish: ReadyStep,
): Step {
	const { node, service, settleMs } = wish;
	return {
		id: `${node.id}/ready`,
		looks: true,
		title: "wait until it is ready and has settled",
		node: node.id,
		cost: settleMs === 0 ? "" : `${settleMs} ms to settle`,
		async run(signal, progress) {
			const { clock } = context;
			let index: number | null = null;
			let heldSince: number | null = null;
			const probe = async () => {
				await requireRunning({ service, name: node.id, node: node.id });
				index ??= await commitIndexNow(context, node, signal);
				const facts = await lookAtCluster(context, signal);
				const { passed, reason } = judgeReadyGate(facts, {
					node: node.id,
					formerProcessId: wish.formerProcessId(),
					index,
					limits: healthLimits(context),
				});
				if (!passed) {
					heldSince = null;
					return reason;
				}
				if (heldSince === null) {
					heldSince = clock.now();
					wish.ready(heldSince);
					context.ledger?.ready(node.id, heldSince);
				}
				return clock.now() - heldSince >= settleMs ? null : "settling";
			};
			await waitUntil(context, {
				name: `${node.id} to be ready`,
				node: node.id,
				timeoutMs: wish.startTimeoutMs + settleMs,
				signal,
				progress,
				probe,
			}).catch((error) => notReady(error, wish));
			return settleMs === 0
				? `applied ${index}`
				: `applied ${index}, settled for ${settleMs} ms`;
		},
	};
}

/** By a quorum's word, asked through the others first: the node itself may not know its leader yet. */
async function commitIndexNow(
	{ engine, inventory }: OperationContext,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<number> {
	const others = inventory.nodes.filter(({ id }) => id !== node.id);
	let silence: unknown;
	for (const one of [...others, node]) {
		try {
			return (await engine.readIndex(refOf(one), callOptions(signal))).index;
		} catch (error) {
			if (!isSilence(error)) throw error;
			silence = error;
		}
	}
	throw silence;
}

async function notReady(
	error: unknown,
	{ node, service }: ReadyStep,
): Promise<never> {
	if (!isTimeout(error)) throw error;
	throw new OperatorError(
		"partial",
		`${node.id} was restarted and did not become ready: ${error.message}`,
		{ node: node.id, problems: await logTailOf(service), cause: error },
	);
}
