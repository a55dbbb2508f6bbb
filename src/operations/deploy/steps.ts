import type { NodeEntry } from "../../config/inventory.js";
import { planApply } from "../balancer/apply.js";
import type { OperationContext } from "../context.js";
import type { PlannedStep } from "../events.js";
import { writeNodeConfig } from "../node-service.js";
import { planReport } from "../plan.js";
import type { Step } from "../steps/step.js";
import { bootStep } from "./boot.js";
import type { Chain } from "./chains.js";
import type { DeployWish } from "./deploy.js";
import {
	prepareStep,
	releaseStep,
	reloadStep,
	switchStep,
	unitStep,
} from "./host-steps.js";
import { type Found, surveyHosts } from "./survey.js";
import type { Wanted } from "./wanted.js";

export function prepareChains(
	context: OperationContext,
	{ found }: Wanted,
): readonly Chain[] {
	return found.map((one) => ({
		host: one.host,
		steps: [prepareStep(context, one)],
	}));
}

export function setupChains(
	context: OperationContext,
	wanted: Wanted,
): readonly Chain[] {
	return wanted.found.map((one) => ({
		host: one.host,
		steps: setupSteps(context, wanted, one),
	}));
}

function setupSteps(
	context: OperationContext,
	{ offer, units, switches }: Wanted,
	found: Found,
): readonly Step[] {
	const { host, nodes, survey, files } = found;
	const isWritten = ({ id }: NodeEntry) => units.get(id) !== null;
	const isUnread = ({ id }: NodeEntry) =>
		survey.nodes.get(id)?.needsReload === true;
	return [
		...(offer === null ? [] : [releaseStep(context, found, offer)]),
		...nodes.flatMap((node) => [
			...(offer !== null && switches.has(node.id)
				? [switchStep(context, node, offer.manifest.version)]
				: []),
			unitStep(context, node, units.get(node.id) ?? null),
			...(files.get(node.id)?.isStale === true
				? [configStep(context, node)]
				: []),
		]),
		reloadStep(
			context,
			host,
			nodes.some((node) => isWritten(node) || isUnread(node)),
		),
	];
}

/** Of a node that has one; the first is written by what starts it. */
function configStep(context: OperationContext, node: NodeEntry): Step {
	return {
		...{ id: `${node.id}/config`, node: node.id, cost: "" },
		title: "bring its node.yaml up to date",
		async run() {
			await writeNodeConfig(context, node);
			return null;
		},
	};
}

/** By what the hosts have after the start. */
export async function bootChains(
	context: OperationContext,
	nodes: readonly NodeEntry[],
): Promise<readonly Chain[]> {
	const { found, unknown } = await surveyHosts(context, nodes);
	const [first] = unknown;
	if (first !== undefined) throw first.error;
	return found.map((one) => ({
		host: one.host,
		steps: one.nodes.map((node) => bootStep(context, one, node)),
	}));
}

export async function plannedSteps(
	context: OperationContext,
	wish: DeployWish,
	wanted: Wanted,
): Promise<readonly PlannedStep[]> {
	const { found } = wanted;
	const planned = async (steps: readonly Step[]) =>
		(await planReport(context, "deploy", steps)).plan;
	const setUp = await planned(
		found.flatMap((one) => [
			prepareStep(context, one),
			...setupSteps(context, wanted, one),
		]),
	);
	const boot = await planned(
		found.flatMap((one) =>
			one.nodes.map((node) => bootStep(context, one, node)),
		),
	);
	if (wish.nodes.length > 0) return [...setUp, ...boot];
	const front = isRendered(context) ? (await planApply(context)).plan : [];
	const starts = found.flatMap(({ nodes, survey }) =>
		nodes.flatMap(({ id }) =>
			survey.nodes.get(id)?.runs === true
				? []
				: [{ id: `${id}/start`, title: "start", node: id, cost: "" }],
		),
	);
	const ready = {
		...{ id: "cluster/ready", node: null, cost: "" },
		title: "wait until every node is ready",
	};
	return [
		...setUp,
		...front,
		...starts,
		...(starts.length === 0 ? [] : [ready]),
		...boot,
	];
}

export function isRendered({
	inventory: { balancer },
}: OperationContext): boolean {
	return balancer?.kind === "haproxy" || balancer?.kind === "nginx";
}
