import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import {
	ailments,
	confirmedLeader,
	judgeQuorum,
} from "../../cluster/health.js";
import { OperatorError } from "../../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import type { Program } from "../program.js";
import { isSilence, waitUntil } from "../wait.js";
import { lookAtBalancer } from "./balancer-view.js";
import { logTailOf, requireRunning } from "./running.js";
import type { Step } from "./step.js";

/** Waits until every member is ready, a quorum follows a leader, and the balancer reaches them all. */
export function awaitClusterStep(
	context: OperationContext,
	programs: readonly Program[],
): Step {
	return {
		id: "cluster/ready",
		looks: true,
		title: "wait until every node is ready",
		node: null,
		cost: "",
		isDone: async () =>
			(await whatIsMissing(context)) === null ? "every node is ready" : null,
		async run(signal, progress) {
			await waitUntil(context, {
				name: "every node to be ready",
				node: null,
				timeoutMs: context.inventory.roll.startTimeoutMs,
				signal,
				progress,
				probe: async () => {
					await requireAllRunning(context, programs);
					return whatIsMissing(context, signal);
				},
			}).catch((error) => notReady(context, programs, error));
			return null;
		},
	};
}

async function whatIsMissing(
	context: OperationContext,
	signal = context.signal,
): Promise<string | null> {
	const facts = await lookAtCluster(context, signal);
	const missing = whatIsNotReady(context, facts);
	if (missing !== null) return missing;
	try {
		return await whatIsNotReached(context, facts, signal);
	} catch (error) {
		if (isSilence(error)) return error.message;
		throw error;
	}
}

function whatIsNotReady(
	context: OperationContext,
	facts: ClusterFacts,
): string | null {
	for (const { id, status, fault } of facts.nodes) {
		if (isNoMember(facts, id)) continue;
		if (status === null) return `${id} ${fault}`;
		// A drained node is unready by wish; that is not for `up` to end.
		const reasons = ailments(status);
		if (reasons.length > 0) return `${id} is not ready: ${reasons.join("; ")}`;
	}
	return judgeQuorum(facts, healthLimits(context)).leader === null
		? "no leader that a quorum confirms"
		: null;
}

/** By a quorum's word; it would be waited for in vain. */
function isNoMember(facts: ClusterFacts, id: string): boolean {
	const leader = confirmedLeader(facts);
	return leader !== null && !leader.members.some((one) => one.id === id);
}

async function whatIsNotReached(
	{ balancer, inventory }: OperationContext,
	facts: ClusterFacts,
	signal: AbortSignal,
): Promise<string | null> {
	if (balancer === null) return null;
	const backends = await lookAtBalancer(balancer, signal);
	const reached = new Set(
		backends.filter(({ state }) => state !== "down").map(({ node }) => node),
	);
	const missing = inventory.nodes.find(
		({ id }) => !reached.has(id) && !isNoMember(facts, id),
	);
	return missing === undefined
		? null
		: `the balancer does not reach ${missing.id}`;
}

/** A process that is gone will not become ready: a port in use, a data directory of another node, damage. */
async function requireAllRunning(
	context: OperationContext,
	programs: readonly Program[],
): Promise<void> {
	for (const program of programs)
		await requireRunning(program, {
			state: "the others run on",
			next: `mend what its log says, then ${commandFor(context, "up")}`,
		});
}

async function notReady(
	context: OperationContext,
	programs: readonly Program[],
	error: unknown,
): Promise<never> {
	if (!isSilence(error)) throw error;
	const facts = await lookAtCluster(context);
	const unready = programs.filter(
		({ node }) => node !== null && !statusOf(facts, node)?.ready,
	);
	const tails = await Promise.all(
		unready.map(async ({ name, service }) =>
			(await logTailOf(service)).map((line) => `${name}: ${line}`),
		),
	);
	throw new OperatorError("timeout", error.message, {
		problems: tails.flat(),
		state: "everything that was started runs on",
		next: commandFor(context, "status"),
		cause: error,
	});
}
