import type { BackendStatus } from "../../balancers/balancer.js";
import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import {
	type HealthLimits,
	judgeQuorum,
	safeToStop,
} from "../../cluster/health.js";
import type { RollCheck } from "./options.js";

interface AdmissionQuestion {
	readonly facts: ClusterFacts;
	/** Ids of the nodes to restart. */
	readonly chosen: readonly string[];
	/** Null when there is no balancer, or when its check is skipped. */
	readonly backends: readonly BackendStatus[] | null;
	readonly skip: readonly RollCheck[];
	readonly limits: HealthLimits;
}

/**
 * Every reason why this roll must not begin, one sentence each; empty when it may. A cluster is rolled only when whole:
 * a voter that is down already is named, not worked around. One node restarted by itself may be the faulty one.
 */
export function findObstacles(question: AdmissionQuestion): readonly string[] {
	return [
		...strangers(question),
		...(question.skip.includes("quorum") ? [] : quorumObstacles(question)),
		...drains(question),
		...balancerObstacles(question),
	];
}

function quorumObstacles(question: AdmissionQuestion): readonly string[] {
	const { facts, chosen, limits } = question;
	const verdict = judgeQuorum(facts, limits);
	if (verdict.leader === null) {
		const silent = facts.nodes
			.filter(({ status }) => status === null)
			.map(({ id, fault }) => `${id} ${fault}`);
		return ["no leader that a quorum confirms", ...silent];
	}
	const faults = verdict.faults
		.filter(({ node }) => !isAlone(chosen, node))
		.map(({ node, fault }) => `${node} ${fault}`);
	if (faults.length > 0) return faults;
	const stops = chosen.map((node) => ({
		node,
		...safeToStop(facts, node, limits),
	}));
	return [
		...silentLearners(question, verdict.voters),
		...stops
			.filter(({ safe }) => !safe)
			.map(({ node, reason }) => `${node} cannot stop: ${reason}`),
	];
}

function silentLearners(
	{ facts, chosen }: AdmissionQuestion,
	voters: readonly string[],
): readonly string[] {
	return facts.nodes
		.filter(({ id }) => chosen.includes(id) && !isAlone(chosen, id))
		.filter(({ id, status }) => status === null && !voters.includes(id))
		.map(({ id, fault }) => `${id} ${fault}`);
}

function strangers({ facts, chosen, limits }: AdmissionQuestion) {
	const answering = facts.nodes.flatMap(({ status }) =>
		status === null ? [] : [status],
	);
	if (judgeQuorum(facts, limits).leader === null) return [];
	return chosen
		.filter(
			(node) =>
				!answering.some(({ members }) => members.some(({ id }) => id === node)),
		)
		.map((node) => `${node} is not a member of the cluster`);
}

function drains({ facts, chosen }: AdmissionQuestion): readonly string[] {
	return facts.nodes
		.filter(({ id }) => !isAlone(chosen, id))
		.flatMap(({ id }) => {
			const drain = statusOf(facts, id)?.drain;
			return drain?.draining
				? [
						`${id} is draining already, for another ${Math.ceil(drain.leaseLeftMs / 1000)} s`,
					]
				: [];
		});
}

function balancerObstacles({
	backends,
	chosen,
}: AdmissionQuestion): readonly string[] {
	if (backends === null) return [];
	return chosen.flatMap((node) => {
		if (!backends.some((backend) => backend.node === node))
			return [`the balancer does not know ${node}`];
		return backends.some(
			(backend) => backend.node !== node && backend.admitting,
		)
			? []
			: [`the balancer would have no backend but ${node}`];
	});
}

function isAlone(chosen: readonly string[], node: string): boolean {
	return chosen.length === 1 && chosen[0] === node;
}
