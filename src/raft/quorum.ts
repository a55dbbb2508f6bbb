import type { Configuration, NodeId } from "./types.js";

/** The smallest number of `voters` that is more than half of them. */
export function majority(voters: number): number {
	return Math.floor(voters / 2) + 1;
}

/** Whether those for whom `holds` is true can decide: a majority of each half (paper, section 6). */
export function isQuorum(
	configuration: Configuration,
	holds: (id: NodeId) => boolean,
): boolean {
	return (
		isMajority(configuration.voters, holds) &&
		isMajority(configuration.outgoing, holds)
	);
}

/** `won`: enough granted. `lost`: too many refused for it still to be won. */
export function voteResult(
	configuration: Configuration,
	voteOf: (id: NodeId) => boolean | undefined,
): "won" | "lost" | "pending" {
	if (isQuorum(configuration, (id) => voteOf(id) === true)) return "won";
	return isQuorum(configuration, (id) => voteOf(id) !== false)
		? "pending"
		: "lost";
}

/** The largest index that a quorum has reached. Infinity for a configuration without voters. */
export function quorumIndex(
	configuration: Configuration,
	matchOf: (id: NodeId) => number,
): number {
	return Math.min(
		majorityIndex(configuration.voters, matchOf),
		majorityIndex(configuration.outgoing, matchOf),
	);
}

function isMajority(
	voters: readonly NodeId[],
	holds: (id: NodeId) => boolean,
): boolean {
	if (voters.length === 0) return true;
	let count = 0;
	for (const id of voters) if (holds(id)) count++;
	return count >= majority(voters.length);
}

function majorityIndex(
	voters: readonly NodeId[],
	matchOf: (id: NodeId) => number,
): number {
	if (voters.length === 0) return Number.POSITIVE_INFINITY;
	if (voters.length === 1) return matchOf(voters[0] as NodeId);
	const matches = voters.map(matchOf).sort((a, b) => b - a);
	return matches[majority(voters.length) - 1] as number;
}
