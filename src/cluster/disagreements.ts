import type { NodeStatus } from "./engine.js";
import type { ClusterFacts } from "./facts.js";

/** A question to which the nodes that answered give different answers. */
export interface Disagreement {
	readonly about: "leader" | "term" | "configuration" | "members" | "machine";
	/** Who says what, in the order of the cluster file. */
	readonly views: readonly { readonly node: string; readonly says: string }[];
}

/**
 * Where the nodes' own views differ. Each is asked alone, so a group that split, or a member that missed a change, shows
 * here even while every single answer looks healthy.
 */
export function findDisagreements(
	facts: ClusterFacts,
): readonly Disagreement[] {
	return questions.flatMap(({ about, ask }) => {
		const views = facts.nodes.flatMap(({ id, status }) =>
			status === null ? [] : [{ node: id, says: ask(status) }],
		);
		const distinct = new Set(views.map(({ says }) => says));
		return distinct.size > 1 ? [{ about, views }] : [];
	});
}

const questions: readonly {
	readonly about: Disagreement["about"];
	readonly ask: (status: NodeStatus) => string;
}[] = [
	{ about: "leader", ask: (status) => status.leader ?? "none" },
	{ about: "term", ask: (status) => String(status.term) },
	{
		about: "configuration",
		ask: (status) => `index ${status.configurationIndex}`,
	},
	{
		about: "members",
		ask: (status) =>
			status.members
				.map(({ id, role, peer }) => `${id} (${role}, ${peer})`)
				.sort()
				.join(", "),
	},
	{ about: "machine", ask: (status) => status.machine },
];
