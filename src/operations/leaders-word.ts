import type { ClusterFacts } from "../cluster/facts.js";
import { confirmedLeader } from "../cluster/health.js";
import { healthLimits, type OperationContext } from "./context.js";

/** Members that the cluster file lacks: nobody asked them, but they count. */
export function withStrangers(
	context: OperationContext,
	facts: ClusterFacts,
): ClusterFacts {
	const { heardWithinMs } = healthLimits(context);
	const leader = confirmedLeader(facts);
	const strangers = (leader?.members ?? []).filter(
		({ id }) => !facts.nodes.some((node) => node.id === id),
	);
	return {
		nodes: [
			...facts.nodes,
			...strangers.map(({ id }) => {
				const view = leader?.followers.find((one) => one.id === id);
				const isHeard = (view?.heardAgoMs ?? Infinity) <= heardWithinMs;
				const word = isHeard ? "the leader hears it" : "it does not answer";
				return {
					...{ id, status: null },
					fault: `is not in the cluster file; ${word}`,
				};
			}),
		],
	};
}

/** A node that is silent here but heard by the leader is slow, or cut off from raftctl: it is not to be called dead. */
export function withLeadersWord(
	context: OperationContext,
	facts: ClusterFacts,
): ClusterFacts {
	const { heardWithinMs } = healthLimits(context);
	const followers = confirmedLeader(facts)?.followers ?? [];
	return {
		nodes: facts.nodes.map((node) => {
			const heard = followers.find(({ id }) => id === node.id);
			if (node.status !== null || heard === undefined) return node;
			const { heardAgoMs } = heard;
			if (heardAgoMs > heardWithinMs) return node;
			const ago = `${Math.round(heardAgoMs)} ms`;
			return {
				...node,
				fault: `${node.fault}; the leader heard it ${ago} ago`,
			};
		}),
	};
}
