import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import { writeLevelOf } from "./admission.js";

export type FinalizeVerdict =
	/** nothing: the cluster writes what its releases can write. possible: every member reads `level`, which is more. */
	| { readonly kind: "nothing" | "possible"; readonly level: number }
	| { readonly kind: "refused"; readonly reasons: readonly string[] };

/** Whether the cluster may write the newest level that one of its releases writes; every member has to say so itself. */
export function finalizeVerdict(
	facts: ClusterFacts,
	nodes: readonly { readonly id: string }[],
): FinalizeVerdict {
	const leader = confirmedLeader(facts);
	const present = writeLevelOf(facts);
	if (leader === null || present === null)
		return { kind: "refused", reasons: ["no leader that a quorum confirms"] };
	const members = leader.members.map(({ id }) => id);
	const unknown = members.filter((id) => !nodes.some((node) => node.id === id));
	const silent = members.filter((id) => statusOf(facts, id) === null);
	const level = Math.max(
		...members.map((id) => statusOf(facts, id)?.levels.writes ?? 0),
	);
	const reasons = [
		...unknown.map((id) => `${id} is a member and not in the cluster file`),
		...silent
			.filter((id) => !unknown.includes(id))
			.map((id) => `${id} does not answer`),
		...members.flatMap((id) => readFault(facts, id, level)),
	];
	if (reasons.length > 0) return { kind: "refused", reasons };
	return { kind: level > present ? "possible" : "nothing", level };
}

function readFault(facts: ClusterFacts, id: string, level: number): string[] {
	const status = statusOf(facts, id);
	if (status === null || status.levels.readsTo >= level) return [];
	return [
		`${id} runs ${status.release}, which reads up to level ${status.levels.readsTo}, not ${level}`,
	];
}
