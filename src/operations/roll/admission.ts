import type { BackendStatus } from "../../balancers/balancer.js";
import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import {
	type HealthLimits,
	judgeQuorum,
	safeToStop,
} from "../../cluster/health.js";
import { loneBackendFault } from "../steps/balancer-view.js";
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

/** What ends an obstacle: a command, or null when somebody has to look. */
export type Remedy =
	| { readonly command: "up" }
	| { readonly command: "undrain"; readonly node: string }
	| { readonly command: "add-learner"; readonly node: string };

export interface Obstacle {
	/** One sentence without a full stop. */
	readonly reason: string;
	readonly remedy: Remedy | null;
}

/**
 * Every reason why this roll must not begin, with what ends each; empty when it may. A cluster is rolled only when whole:
 * a voter that is down already is named, not worked around. One node restarted by itself may be the faulty one.
 */
export function findObstacles(
	question: AdmissionQuestion,
): readonly Obstacle[] {
	return [
		...strangers(question),
		...(question.skip.includes("quorum") ? [] : quorumObstacles(question)),
		...drains(question),
		...balancerObstacles(question),
	];
}

function quorumObstacles(question: AdmissionQuestion): readonly Obstacle[] {
	const { facts, chosen, limits } = question;
	const verdict = judgeQuorum(facts, limits);
	if (verdict.leader === null) {
		const silent = facts.nodes
			.filter(({ status }) => status === null)
			.map(({ id, fault }) => isDown(`${id} ${fault}`));
		return [mustBeSeen("no leader that a quorum confirms"), ...silent];
	}
	const faults = verdict.faults
		.filter(({ node }) => !isAlone(chosen, node))
		.map(({ node, fault }) =>
			statusOf(facts, node) === null
				? isDown(`${node} ${fault}`)
				: mustBeSeen(`${node} ${fault}`),
		);
	if (faults.length > 0) return faults;
	const stops = chosen.map((node) => ({
		node,
		...safeToStop(facts, node, limits),
	}));
	return [
		...silentLearners(question, verdict.voters),
		...stops
			.filter(({ safe }) => !safe)
			.map(({ node, reason }) => mustBeSeen(`${node} cannot stop: ${reason}`)),
	];
}

function silentLearners(
	{ facts, chosen }: AdmissionQuestion,
	voters: readonly string[],
): readonly Obstacle[] {
	return facts.nodes
		.filter(({ id }) => chosen.includes(id) && !isAlone(chosen, id))
		.filter(({ id, status }) => status === null && !voters.includes(id))
		.map(({ id, fault }) => isDown(`${id} ${fault}`));
}

function strangers({
	facts,
	chosen,
	limits,
}: AdmissionQuestion): readonly Obstacle[] {
	const answering = facts.nodes.flatMap(({ status }) =>
		status === null ? [] : [status],
	);
	if (judgeQuorum(facts, limits).leader === null) return [];
	return chosen
		.filter(
			(node) =>
				!answering.some(({ members }) => members.some(({ id }) => id === node)),
		)
		.map((node) => ({
			reason: `${node} is not a member of the cluster`,
			remedy: { command: "add-learner", node },
		}));
}

function drains({ facts, chosen }: AdmissionQuestion): readonly Obstacle[] {
	return facts.nodes
		.filter(({ id }) => !isAlone(chosen, id))
		.flatMap(({ id }) => {
			const drain = statusOf(facts, id)?.drain;
			return drain?.draining
				? [
						{
							reason: `${id} is draining already, for another ${Math.ceil(drain.leaseLeftMs / 1000)} s`,
							remedy: { command: "undrain" as const, node: id },
						},
					]
				: [];
		});
}

function balancerObstacles({
	backends,
	chosen,
}: AdmissionQuestion): readonly Obstacle[] {
	if (backends === null) return [];
	return chosen.flatMap((node) => {
		if (!backends.some((backend) => backend.node === node))
			// It runs with an older configuration; `up` says how that is brought up to date.
			return [isDown(`the balancer does not know ${node}`)];
		const lone = loneBackendFault(backends, [node]);
		return lone === null ? [] : [mustBeSeen(lone)];
	});
}

/** Something that `up` starts. */
export function isDown(reason: string): Obstacle {
	return { reason, remedy: { command: "up" } };
}

function mustBeSeen(reason: string): Obstacle {
	return { reason, remedy: null };
}

function isAlone(chosen: readonly string[], node: string): boolean {
	return chosen.length === 1 && chosen[0] === node;
}
