import type { QuorumVerdict } from "../cluster/health.js";
import type { BalancerReport, NodeReport } from "./status.js";

export function quorumProblems(verdict: QuorumVerdict): readonly string[] {
	if (verdict.leader === null) return ["no leader that a quorum confirms"];
	const behind = verdict.faults.map(({ node, fault }) => `${node} ${fault}`);
	return verdict.changing
		? ["a membership change is under way", ...behind]
		: behind;
}

export function nodeProblems(
	node: NodeReport,
	{ leader }: QuorumVerdict,
): readonly string[] {
	const { id, fault, member, draining, drainLeaseLeftMs, unready } = node;
	if (!node.reachable) return [`${id} ${fault}`];
	if (leader !== null && member === null)
		return [`${id} is not a member of the cluster`];
	if (node.stopping) return [`${id} is not ready: it is stopping`];
	if (draining)
		return [
			`${id} is draining, for another ${Math.ceil(drainLeaseLeftMs / 1000)} s`,
		];
	return unready.length === 0
		? []
		: [`${id} is not ready: ${unready.join("; ")}`];
}

export function balancerProblems(
	balancer: BalancerReport | null,
): readonly string[] {
	if (balancer === null) return [];
	if (!balancer.reachable) return [balancer.fault];
	return balancer.backends
		.filter(({ state }) => state === "down")
		.map(
			({ node, reason }) => `the balancer does not reach ${node}: ${reason}`,
		);
}
