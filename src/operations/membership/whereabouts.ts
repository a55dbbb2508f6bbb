import type { NodeStatus } from "../../cluster/engine.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	callOptions,
	commandFor,
	healthLimits,
	type OperationContext,
	refOf,
} from "../context.js";
import { configDifferences, nodeConfigPath } from "../node-config.js";
import { nodeService, wantedNodeConfig } from "../node-service.js";
import { isSilence } from "../wait.js";
import { identityOf, strangerFault } from "./candidate.js";
import type { MoveMemo } from "./move-node.js";
import { withNodes } from "./view.js";

/**
 * "former": it runs where it was. "moved": it runs where it is to be, or is about to: it takes its time until it answers.
 * "down": it answers at neither place, and nothing runs that would.
 */
type Whereabouts = "former" | "moved" | "down";

/** Where the node is now, by its own answer; where its admin address stays, by its process and its configuration. */
export async function whereIs(
	context: OperationContext,
	{ nodes, to, processId }: MoveMemo,
	signal: AbortSignal,
): Promise<Whereabouts> {
	const [from = to] = nodes;
	const there = await answerOf(context, to, signal);
	if (from.host !== to.host || from.admin !== to.admin) {
		if (there !== null) return "moved";
		const here = await answerOf(context, from, signal);
		if (here !== null) return "former";
		return (await isComing(context, to)) ? "moved" : "down";
	}
	if (there === null) return (await isComing(context, to)) ? "moved" : "down";
	const isAnother = there.processId !== processId;
	return isAnother && (await isConfigured(context, to)) ? "moved" : "former";
}

export async function runsAt(
	context: OperationContext,
	node: NodeEntry,
): Promise<boolean> {
	return (await answerOf(context, node, context.signal)) !== null;
}

async function answerOf(
	{ engine, inventory }: OperationContext,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<NodeStatus | null> {
	try {
		const status = await engine.status(refOf(node), callOptions(signal));
		const expected = { clusterId: inventory.id, node };
		return strangerFault(status, expected) === null ? status : null;
	} catch (error) {
		if (isSilence(error)) return null;
		throw error;
	}
}

/** Started where it is to be, and not there yet. Stopped and started once more it would never come. */
async function isComing(
	context: OperationContext,
	to: NodeEntry,
): Promise<boolean> {
	const service = await nodeService(withNodes(context, [to]), to);
	const { running } = await service.state();
	return running && (await isConfigured(context, to));
}

/** Whether what it reads at its next start has it there. */
async function isConfigured(
	context: OperationContext,
	to: NodeEntry,
): Promise<boolean> {
	const there = withNodes(context, [to]);
	const host = await context.machines.host(to.host);
	const present = await host.read(nodeConfigPath(there.inventory, to));
	const wanted = await wantedNodeConfig(there, to, present);
	return (await configDifferences(present, wanted)).length === 0;
}

/**
 * On another host a node is the same only with its own data. Throws OperatorError "refused" when that is not there, or is in
 * both places: a copy has forgotten what was acknowledged since it was made (P31).
 */
export async function requireDataThere(
	context: OperationContext,
	{ from, to }: { readonly from: NodeEntry; readonly to: NodeEntry },
): Promise<void> {
	if (from.host === to.host) return;
	const { inventory } = context;
	const found = await identityOf(context, to);
	const isIts = found?.nodeId === to.id && found.clusterId === inventory.id;
	const refuse = (message: string, next: string) =>
		new OperatorError("refused", message, {
			...{ node: to.id, state: "nothing was touched", next },
		});
	if (!isIts)
		throw refuse(
			`the data of ${to.id} is not in ${to.dataDirectory} on ${to.host}`,
			`move its disk there first, or let another node take its place: ${commandFor(context, `replace-node ${to.id} NEW`)}`,
		);
	const left = await identityOf(context, from).catch((error: unknown) => {
		// A host that is gone holds nothing that could be started by mistake.
		if (isSilence(error)) return null;
		throw error;
	});
	if (left !== null)
		throw refuse(
			`the data of ${to.id} is on ${to.host}, and on ${from.host} still: one of the two is a copy`,
			`stop the node and move the directory away on ${from.host}, unless it is the newer one`,
		);
}

/**
 * Throws OperatorError "refused" while the node lives on the host that it is to leave. That its host is silent over SSH
 * proves nothing, and started on another it would be there twice, with one identity (P31). The leader hears what answers
 * nobody here; null where it may hear the node at its new place.
 */
export async function requireGone(
	context: OperationContext,
	{
		from,
		to,
		leader,
	}: {
		readonly from: NodeEntry;
		readonly to: NodeEntry;
		readonly leader: NodeStatus | null;
	},
	signal: AbortSignal = context.signal,
): Promise<void> {
	if (from.host === to.host) return;
	const why =
		(await lifeAt(context, from, signal)) ?? heardBy(context, leader, from);
	if (why === null) return;
	throw new OperatorError(
		"refused",
		`${to.id} must not be started on ${to.host}: ${why}`,
		{
			node: to.id,
			state: "it was neither stopped nor started",
			remedy: `stop it on ${from.host}, by hand if SSH does not reach that`,
		},
	);
}

/** What answers where it was; null when nobody does, or another node. */
async function lifeAt(
	{ engine, inventory }: OperationContext,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<string | null> {
	try {
		const status = await engine.status(refOf(node), callOptions(signal));
		const expected = { clusterId: inventory.id, node };
		return strangerFault(status, expected) === null
			? `it answers at ${node.admin}`
			: null;
	} catch (error) {
		if (!isSilence(error)) throw error;
		return error.isLasting
			? `somebody answers at ${node.admin}: ${error.message}`
			: null;
	}
}

function heardBy(
	context: OperationContext,
	leader: NodeStatus | null,
	{ id }: NodeEntry,
): string | null {
	const heard = leader?.followers.find((one) => one.id === id);
	if (leader === null || heard === undefined) return null;
	const { heardWithinMs } = healthLimits(context);
	return heard.heardAgoMs <= heardWithinMs
		? `the leader ${leader.nodeId} heard it ${Math.round(heard.heardAgoMs)} ms ago`
		: null;
}
