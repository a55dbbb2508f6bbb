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
import { unknownNodes } from "../node-named.js";
import { lookAtBalancer } from "../steps/balancer-view.js";
import { isSilence, waitUntil } from "../wait.js";
import { findObstacles, isDown, type Obstacle } from "./admission.js";
import type { RollOptions } from "./options.js";

/** A leader may just be changing; a voter that is down stays down for longer than this. */
const admissionTimeoutMs = 1_500;

/** The nodes to restart. Throws OperatorError "usage" for one that the cluster file does not have. */
export function chooseNodes(
	{ inventory }: OperationContext,
	{ nodes }: Pick<RollOptions, "nodes">,
): readonly NodeEntry[] {
	if (nodes.length === 0) return inventory.nodes;
	const unknown = nodes.filter(
		(node) => !inventory.nodes.some(({ id }) => id === node),
	);
	if (unknown.length > 0) throw unknownNodes(inventory, unknown);
	return inventory.nodes.filter(({ id }) => nodes.includes(id));
}

/** The facts on which the roll may begin. Throws OperatorError "refused" that names every obstacle. */
export async function requireWholeCluster(
	context: OperationContext,
	{ skip }: Pick<RollOptions, "skip">,
	chosen: readonly NodeEntry[],
): Promise<ClusterFacts> {
	const { signal } = context;
	let facts: ClusterFacts = { nodes: [] };
	let obstacles: readonly Obstacle[] = [];
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
				...(typeof view === "string" ? [isDown(view)] : []),
				...findObstacles({
					facts,
					chosen: chosen.map(({ id }) => id),
					backends: typeof view === "string" ? null : view,
					skip,
					limits: healthLimits(context),
				}),
			];
			return obstacles.length === 0
				? null
				: obstacles.map(({ reason }) => reason).join("; ");
		},
	}).catch((error: unknown) => {
		if (!isSilence(error)) throw error;
		throw new OperatorError(
			"refused",
			`the cluster is not whole, so no node may be restarted: ${obstacles[0]?.reason}`,
			{
				problems: obstacles.map(({ reason }) => reason),
				state: "nothing was touched",
				next: nextFor(context, obstacles),
			},
		);
	});
	return facts;
}

/** What is down is started first: without a quorum nothing can be undrained. */
function nextFor(
	context: OperationContext,
	obstacles: readonly Obstacle[],
): string {
	const remedies = obstacles.flatMap(({ remedy }) => remedy ?? []);
	const drained = remedies.flatMap((remedy) =>
		remedy.command === "undrain" ? [remedy.node] : [],
	);
	const strangers = remedies.flatMap((remedy) =>
		remedy.command === "add-learner" ? [`add-learner ${remedy.node}`] : [],
	);
	const commands = [
		...(remedies.some(({ command }) => command === "up") ? ["up"] : []),
		...(drained.length === 1 ? [`undrain ${drained[0]}`] : []),
		...(drained.length > 1
			? [["undrain", ...drained.map((node) => `--node ${node}`)].join(" ")]
			: []),
		...strangers,
	];
	return (commands.length === 0 ? ["status"] : commands)
		.map((words) => commandFor(context, words))
		.join(" && ");
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
