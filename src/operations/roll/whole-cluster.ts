import type { BackendStatus } from "../../balancers/balancer.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import { lookAtBalancer } from "../steps/balancer-view.js";
import { isSilence, waitUntil } from "../wait.js";
import { findObstacles } from "./admission.js";
import type { RollOptions } from "./options.js";

/** A leader may just be changing; a voter that is down stays down for longer than this. */
const admissionTimeoutMs = 1_500;

/** The nodes to restart. Throws OperatorError "usage" for one that the cluster file does not have. */
export function chooseNodes(
	{ inventory }: OperationContext,
	{ nodes }: RollOptions,
): readonly NodeEntry[] {
	if (nodes.length === 0) return inventory.nodes;
	const unknown = nodes.filter(
		(node) => !inventory.nodes.some(({ id }) => id === node),
	);
	if (unknown.length > 0)
		throw new OperatorError(
			"usage",
			`the cluster file has no node ${unknown.join(", ")}`,
			{ next: `choose from ${inventory.nodes.map(({ id }) => id).join(", ")}` },
		);
	return inventory.nodes.filter(({ id }) => nodes.includes(id));
}

/** The facts on which the roll may begin. Throws OperatorError "refused" that names every obstacle. */
export async function requireWholeCluster(
	context: OperationContext,
	{ skip }: RollOptions,
	chosen: readonly NodeEntry[],
): Promise<ClusterFacts> {
	const { signal } = context;
	let facts: ClusterFacts = { nodes: [] };
	let obstacles: readonly string[] = [];
	await waitUntil(context, {
		name: "the cluster to be whole",
		node: null,
		timeoutMs: admissionTimeoutMs,
		signal,
		probe: async () => {
			facts = await lookAtCluster(context, signal);
			const view = skip.includes("balancer")
				? null
				: await balancerView(context);
			obstacles = [
				...(typeof view === "string" ? [view] : []),
				...findObstacles({
					facts,
					chosen: chosen.map(({ id }) => id),
					backends: typeof view === "string" ? null : view,
					skip,
					limits: healthLimits(context),
				}),
			];
			return obstacles.length === 0 ? null : obstacles.join("; ");
		},
	}).catch((error: unknown) => {
		if (!isSilence(error)) throw error;
		throw new OperatorError(
			"refused",
			`the cluster is not whole, so no node may be restarted: ${obstacles[0]}`,
			{
				problems: obstacles,
				state: "nothing was touched",
				next: commandFor(context, "up"),
			},
		);
	});
	return facts;
}

/** The balancer's backends, null without a balancer, or why it cannot be asked. */
async function balancerView({
	balancer,
	signal,
}: OperationContext): Promise<readonly BackendStatus[] | string | null> {
	if (balancer === null) return null;
	try {
		return await lookAtBalancer(balancer, signal);
	} catch (error) {
		if (isSilence(error)) return `the balancer is gone: ${error.message}`;
		throw error;
	}
}
