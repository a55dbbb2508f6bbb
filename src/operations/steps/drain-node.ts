import type { NodeStatus } from "../../cluster/engine.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { callOptions, type OperationContext, refOf } from "../context.js";
import { isTimeout, waitUntil } from "../wait.js";
import {
	balancerLimitMs,
	isAdmitted,
	loneBackendFault,
	lookAtBalancer,
} from "./balancer-view.js";
import type { DrainHold } from "./drain-hold.js";
import type { Step } from "./step.js";

/** Silent for this long during its drain, a node counts as dead: there is nothing left to wait for. */
const deathMs = 5_000;

export interface DrainSteps {
	readonly node: NodeEntry;
	readonly hold: DrainHold;
	readonly closeOverMs: number;
	readonly timeoutMs: number;
	/** What moves, as the plan says it. */
	readonly cost: string;
	/** With --skip=balancer the balancer's view is not waited for. */
	readonly skipBalancer: boolean;
	/** With --skip=drain connections that are left at the limit are cut. */
	readonly skipDrain: boolean;
}

/** The node says that it leaves; done once the balancer sends it nothing new, so that no connection is refused. */
export function announceDrainStep(
	context: OperationContext,
	wish: DrainSteps,
): Step {
	const { node, hold } = wish;
	return {
		id: `${node.id}/announce`,
		title: "announce that it leaves",
		node: node.id,
		cost: "",
		async run(signal, progress) {
			const { balancer } = context;
			if (balancer === null || wish.skipBalancer) {
				await hold.announce();
				return "no balancer to confirm it";
			}
			const lone = loneBackendFault(await lookAtBalancer(balancer, signal), [
				node.id,
			]);
			if (lone !== null)
				throw new OperatorError("refused", lone, { node: node.id });
			await hold.announce();
			await waitUntil(context, {
				name: `the balancer to send ${node.id} nothing new`,
				node: node.id,
				timeoutMs: balancerLimitMs(balancer),
				signal,
				progress,
				probe: async () =>
					isAdmitted(await lookAtBalancer(balancer, signal), node.id)
						? "it still does"
						: null,
			});
			return "the balancer sends it nothing new";
		},
		undo: () => hold.release(),
	};
}

/** Connections move away, paced, and requests under way end. */
export function closeConnectionsStep(
	context: OperationContext,
	wish: DrainSteps,
): Step {
	const { node, hold } = wish;
	return {
		id: `${node.id}/drain`,
		// What it began ends with the drain.
		undo: async () => undefined,
		title: "move its connections away",
		node: node.id,
		cost: wish.cost,
		async run(signal, progress) {
			await hold.close(wish.closeOverMs);
			try {
				await waitUntil(context, {
					name: `connections to leave ${node.id}`,
					node: node.id,
					timeoutMs: wish.timeoutMs,
					silenceMs: deathMs,
					signal,
					progress,
					probe: () => whatIsLeft(context, wish, signal),
				});
				context.ledger?.moved(node.id);
				return "all have moved";
			} catch (error) {
				if (!isTimeout(error)) throw error;
				if (!wish.skipDrain) throw stillConnected(node.id, error);
				const message = `drain check skipped by name: ${error.message}; they are cut`;
				context.emit({ type: "warning", node: node.id, message });
				return message;
			}
		},
	};
}

/** Last, once all that was asked for has moved: until then a dead operator leaves nothing drained for long. */
export function leaveDrainedStep(
	{ node, hold }: Pick<DrainSteps, "node" | "hold">,
	leaseMs: number,
): Step {
	return {
		id: `${node.id}/leave`,
		title: "leave it drained until its lease ends",
		node: node.id,
		cost: "",
		async run() {
			await hold.leaveFor(leaseMs);
			return `for another ${Math.round(leaseMs / 1000)} s`;
		},
	};
}

/** What has yet to leave, at the node and at the balancer; null when nothing has. */
async function whatIsLeft(
	context: OperationContext,
	{ node, skipBalancer }: DrainSteps,
	signal: AbortSignal,
): Promise<string | null> {
	const status = await context.engine.status(refOf(node), callOptions(signal));
	const atNode = leftAtNode(status, context.balancer !== null);
	if (atNode !== null) return atNode;
	if (context.balancer === null || skipBalancer) return null;
	const backends = await lookAtBalancer(context.balancer, signal);
	const left = backends.find((one) => one.node === node.id)?.connections ?? 0;
	return left === 0 ? null : `${left} connections at the balancer`;
}

/**
 * Behind a balancer every connection must go. Without one, plain HTTP clients that connect directly come back by
 * themselves as fast as they are let go: only subscribers and streams, which can be moved, are waited for.
 */
function leftAtNode(status: NodeStatus, balanced: boolean): string | null {
	if (!status.drain.draining) return "the drain was ended";
	const { total, websockets, streams } = status.connections;
	const connections = balanced ? total : websockets + streams;
	const requests = balanced ? status.inflightRequests : 0;
	if (connections === 0 && requests === 0) return null;
	return `${connections} connections, ${requests} requests under way`;
}

function stillConnected(node: string, cause: OperatorError): OperatorError {
	return new OperatorError(
		"timeout",
		`connections did not leave ${node} in time: ${cause.message}`,
		{ node, cause },
	);
}
