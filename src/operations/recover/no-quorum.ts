import type { ClusterFacts } from "../../cluster/facts.js";
import { statusOf } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	callOptions,
	commandFor,
	lookAtCluster,
	type OperationContext,
	refOf,
} from "../context.js";
import { throwIfEnded } from "../interruption.js";
import { strangerFault } from "../membership/candidate.js";
import { nodeService } from "../node-service.js";
import { isSilence } from "../wait.js";
import type { RefusalWords } from "./refusal-words.js";
import { type Holding, startLimitMs } from "./survey.js";

/** An election and a half, at least: while nobody was elected for so long, nobody will be. */
const quorumElections = 3;
const lookEveryMs = 200;

/**
 * Throws OperatorError "refused" while the cluster has a quorum, or may have one that cannot be seen from here. Takes the
 * context of the old cluster: under another id every node of it would count as silent.
 */
export async function requireNoQuorum(
	context: OperationContext,
	holdings: readonly Holding[],
	words: RefusalWords,
): Promise<void> {
	await requireNoLeader(context, words);
	await requireNoHiddenQuorum(context, holdings, words);
}

/** Watches for as long as an election could take. Throws OperatorError "refused" once a leader is confirmed. */
export async function requireNoLeader(
	context: OperationContext,
	words: RefusalWords,
): Promise<void> {
	const { clock, inventory } = context;
	const startedAt = clock.now();
	const limitMs = quorumElections * inventory.timing.electionTimeoutMs;
	for (;;) {
		const facts = await leaderlessFacts(context, words);
		if (facts.nodes.every(({ status }) => status === null)) return;
		if (clock.now() - startedAt >= limitMs) return;
		await pause(context);
	}
}

/**
 * That nobody answers here proves nothing: ports may be filtered, or the operator's certificate have expired. Voters that
 * live get the time that a start or an election takes to answer, and to let go of a leader that is gone. Throws
 * OperatorError "refused", naming them, when by then they could be a quorum.
 */
export async function requireNoHiddenQuorum(
	context: OperationContext,
	holdings: readonly Holding[],
	words: RefusalWords,
): Promise<void> {
	const { clock, inventory } = context;
	const startedAt = clock.now();
	const { electionTimeoutMs } = inventory.timing;
	const limitMs = Math.max(
		startLimitMs,
		2 * quorumElections * electionTimeoutMs,
	);
	for (;;) {
		const facts = await leaderlessFacts(context, words);
		const signs = await signsOfLife(context, facts);
		const living = signs.map(({ node }) => node);
		const isProven = signs.some(({ follows }) => follows);
		if (!isProven && !couldDecide(context, holdings, living)) return;
		if (clock.now() - startedAt >= limitMs)
			throw new OperatorError(
				"refused",
				"the cluster may have a quorum that cannot be asked from here: recovering would take its writes out of service",
				{
					...words,
					problems: signs.map(({ why }) => why),
					next: `make them answer, which ${commandFor(context, "status")} shows, or stop them by hand on their hosts; ${words.next}`,
				},
			);
		await pause(context);
	}
}

async function leaderlessFacts(
	context: OperationContext,
	words: RefusalWords,
): Promise<ClusterFacts> {
	throwIfEnded(context.signal);
	const facts = await lookAtCluster(context, context.signal);
	const leader = confirmedLeader(facts);
	if (leader === null) return facts;
	throw new OperatorError(
		"refused",
		`the cluster has a quorum, led by ${leader.nodeId}: nothing is lost, and recovering could lose something`,
		words,
	);
}

function pause({ clock, signal }: OperationContext): Promise<void> {
	return clock.sleep(lookEveryMs, signal).catch(() => throwIfEnded(signal));
}

/** Whether these are a majority of the voters by any configuration that is known. Pure. */
function couldDecide(
	{ inventory }: OperationContext,
	holdings: readonly Holding[],
	living: readonly string[],
): boolean {
	const file = inventory.nodes.filter(({ role }) => role === "voter");
	const configurations = [
		file.map(({ id }) => id),
		...holdings.flatMap(({ holds }) => (holds === null ? [] : [holds.voters])),
	];
	return configurations.some((voters) => {
		const there = voters.filter((id) => living.includes(id));
		return there.length > voters.length / 2;
	});
}

interface SignOfLife {
	readonly node: string;
	/**
	 * It names a leader, by its own word. Such a one is heard by a quorum, or steps down (P35), whoever else can be asked
	 * here.
	 */
	readonly follows: boolean;
	readonly why: string;
}

async function signsOfLife(
	context: OperationContext,
	facts: ClusterFacts,
): Promise<readonly SignOfLife[]> {
	const found = await Promise.all(
		context.inventory.nodes.map(async (node) => {
			const status = statusOf(facts, node.id);
			if (status === null) {
				const why =
					(await refusalOf(context, node)) ?? (await processOf(context, node));
				return why === null ? [] : [{ node: node.id, follows: false, why }];
			}
			const { leader } = status;
			const why = `${node.id} follows ${leader}`;
			return leader === null ? [] : [{ node: node.id, follows: true, why }];
		}),
	);
	return found.flat();
}

/** What it answers instead of its status; null when it says nothing, or is another. */
async function refusalOf(
	context: OperationContext,
	node: NodeEntry,
): Promise<string | null> {
	const { engine, inventory, signal } = context;
	try {
		const status = await engine.status(refOf(node), callOptions(signal));
		const expected = { clusterId: inventory.id, node };
		return strangerFault(status, expected) === null
			? `${node.id} has begun to answer`
			: null;
	} catch (error) {
		throwIfEnded(signal);
		if (!(error instanceof OperatorError)) throw error;
		return isSilence(error) && !error.isLasting
			? null
			: `somebody answers at ${node.admin}: ${error.message}`;
	}
}

/** The process that does not answer; null when there is none, and for a host that is away. */
async function processOf(
	context: OperationContext,
	node: NodeEntry,
): Promise<string | null> {
	try {
		const state = await (await nodeService(context, node)).state();
		return state.running
			? `${node.id} runs, as process ${state.pid}, and does not answer at ${node.admin}`
			: null;
	} catch (error) {
		throwIfEnded(context.signal);
		if (isSilence(error)) return null;
		throw error;
	}
}
