import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";

/**
 * The order in which nodes are restarted: silent ones first, learners, followers, the leader last. Among followers the
 * one with the fewest connections goes first: only what begins on the first node restarted has to move twice.
 */
export function rollOrder(
	facts: ClusterFacts,
	nodes: readonly string[],
): readonly string[] {
	const leader = confirmedLeader(facts);
	const rank = (node: string) => {
		if (node === leader?.nodeId) return 3;
		if (statusOf(facts, node) === null) return 0;
		const role = leader?.members.find(({ id }) => id === node)?.role;
		return role === "learner" ? 1 : 2;
	};
	const connections = (node: string) =>
		statusOf(facts, node)?.connections.total ?? 0;
	return [...nodes].sort(
		(a, b) => rank(a) - rank(b) || connections(a) - connections(b),
	);
}
