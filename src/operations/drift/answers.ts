import type {
	MemberStatus,
	NodeRef,
	NodeStatus,
} from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import { OperatorError, reasonOf } from "../../errors.js";
import {
	callOptions,
	commandFor,
	type OperationContext,
	refOf,
} from "../context.js";

/** What the cluster says of itself, by a quorum's word. */
export interface ClusterWord {
	readonly clusterId: string;
	readonly leader: string;
	readonly members: readonly MemberStatus[];
}

interface Answer {
	readonly node: NodeRef;
	readonly status: NodeStatus | null;
	/** Why there is none; empty when there is. */
	readonly fault: string;
}

/**
 * Who the members are. The file may have the wrong nodes, addresses or even cluster: so whoever answers is asked for the
 * members, and those are asked where they say that they are. Throws OperatorError "unreachable" when no quorum confirms it.
 */
export async function askCluster(
	context: OperationContext,
): Promise<ClusterWord> {
	const first = await askAll(context, context.inventory.nodes.map(refOf));
	const clusterId = clusterOf(context.inventory.id, first);
	const known = newestMembers(of(clusterId, first));
	// Asked in vain at the file's address, or not in the file at all.
	const elsewhere = known.filter(
		({ id, admin }) =>
			admin !== "" &&
			!first.some(({ node }) => node.id === id && node.admin === admin),
	);
	const answers = [...first, ...(await askAll(context, elsewhere))];
	const own = of(clusterId, answers);
	const facts: ClusterFacts = {
		nodes: own.map(({ node, status }) => ({ id: node.id, status, fault: "" })),
	};
	const leader = confirmedLeader(facts);
	if (leader === null) throw unconfirmed(context, answers, clusterId);
	return { clusterId, leader: leader.nodeId, members: leader.members };
}

function askAll(
	{ engine, signal }: OperationContext,
	nodes: readonly NodeRef[],
): Promise<readonly Answer[]> {
	return Promise.all(
		nodes.map(async ({ id, admin }): Promise<Answer> => {
			const node = { id, admin };
			try {
				const status = await engine.status(node, callOptions(signal));
				return { node, status, fault: "" };
			} catch (error) {
				signal.throwIfAborted();
				return { node, status: null, fault: reasonOf(error) };
			}
		}),
	);
}

/** The file's own cluster, if anybody is of it; else the one that all who answer are of. */
function clusterOf(expected: string, answers: readonly Answer[]): string {
	const ids = new Set(
		answers.flatMap(({ status }) =>
			status === null ? [] : [status.clusterId],
		),
	);
	const [only, ...others] = ids;
	return ids.has(expected) || only === undefined || others.length > 0
		? expected
		: only;
}

/** Those of this cluster, and of the name that they were asked by. */
function of(clusterId: string, answers: readonly Answer[]): readonly Answer[] {
	return answers.filter(
		({ node, status }) =>
			status?.clusterId === clusterId && status.nodeId === node.id,
	);
}

function newestMembers(answers: readonly Answer[]): readonly MemberStatus[] {
	const [newest] = answers
		.flatMap(({ status }) => (status === null ? [] : [status]))
		.sort((a, b) => b.configurationIndex - a.configurationIndex);
	return newest?.members ?? [];
}

function unconfirmed(
	context: OperationContext,
	answers: readonly Answer[],
	clusterId: string,
): OperatorError {
	const problems = answers.flatMap(({ node, status, fault }) => {
		if (status === null) return [fault];
		if (status.clusterId !== clusterId)
			return [`${node.admin} belongs to another cluster (${status.clusterId})`];
		return status.nodeId === node.id
			? []
			: [`${node.admin} answers as ${status.nodeId}, not as ${node.id}`];
	});
	return new OperatorError(
		"unreachable",
		"no quorum confirms who the members are",
		{
			problems,
			state: "nothing was compared",
			next: commandFor(context, "status"),
		},
	);
}
