import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	callOptions,
	commandFor,
	type OperationContext,
	refOf,
} from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { nodeService } from "../node-service.js";
import { isSilence } from "../wait.js";
import type { RefusalWords } from "./refusal-words.js";

/** Throws OperatorError "refused" while one of them runs: its data must not move under it. */
export async function requireDown(
	context: OperationContext,
	nodes: readonly NodeEntry[],
): Promise<void> {
	const found = await Promise.all(
		nodes.map((node) => whyNotDown(context, node)),
	);
	const problems = found.flatMap((fault) => fault ?? []);
	if (problems.length === 0) return;
	throw new OperatorError(
		"refused",
		"the cluster is not down: its nodes' data must not be replaced under them",
		{
			problems,
			state: "nothing was touched",
			next: `stop them first: ${commandFor(context, "down")}`,
		},
	);
}

/** Why the node is not down; null when it is: no process, and nobody who answers at its address. */
async function whyNotDown(
	context: OperationContext,
	node: NodeEntry,
): Promise<string | null> {
	const state = await (await nodeService(context, node)).state();
	if (state.running) return `${node.id} runs, as process ${state.pid}`;
	return answerAt(context, node);
}

/**
 * Throws OperatorError "refused" while somebody answers at the admin address of one of them, whatever he answers: of a
 * node whose host cannot be asked nothing else can be told.
 */
export async function requireSilent(
	context: OperationContext,
	nodes: readonly NodeEntry[],
	words: RefusalWords,
): Promise<void> {
	const found = await Promise.all(nodes.map((node) => answerAt(context, node)));
	const problems = found.flatMap((fault) => fault ?? []);
	if (problems.length === 0) return;
	throw new OperatorError(
		"refused",
		"the cluster is not down: nodes answer whose hosts do not",
		{
			...{ ...words, problems },
			next: `stop them by hand on their hosts, or mend the way to those; ${words.next}`,
		},
	);
}

/** Who answers at the node's address; null when nobody does. */
async function answerAt(
	context: OperationContext,
	node: NodeEntry,
): Promise<string | null> {
	try {
		const options = callOptions(context.signal);
		const { clusterId } = await context.engine.status(refOf(node), options);
		return `somebody answers at ${node.admin}, as a node of ${clusterId}`;
	} catch (error) {
		throwIfEnded(context.signal);
		if (!isSilence(error)) throw error;
		// It answers, though not us.
		return error.isLasting
			? `somebody answers at ${node.admin}: ${error.message}`
			: null;
	}
}
