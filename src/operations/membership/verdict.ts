import type { MembershipChange } from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import {
	confirmedLeader,
	type HealthLimits,
	voterFault,
} from "../../cluster/health.js";
import { isJoint, votersAfter } from "./members.js";

export interface ChangeVerdict {
	readonly safe: boolean;
	/** One sentence without a full stop, for either answer. */
	readonly reason: string;
	/** Those that would vote, and of them those that are up and caught up. */
	readonly voters: readonly string[];
	readonly connected: readonly string[];
	readonly quorum: number;
	/** How many of those that vote then may fail. */
	readonly tolerance: number;
}

interface ChangeLimits extends HealthLimits {
	/** Counted as connected: in a plan, learners that will have caught up by then. */
	readonly assumed?: readonly string[];
}

/**
 * Whether a majority of the voters that there would be is up and caught up, by the leader's view of their logs and by
 * each one's own fresh answer (P28). Counted here although the leader counts, too: it knows who spoke to it, not who is
 * ready. Pure.
 */
export function judgeChange(
	facts: ClusterFacts,
	changes: readonly MembershipChange[],
	limits: ChangeLimits,
): ChangeVerdict {
	const leader = confirmedLeader(facts);
	const members = leader?.members ?? [];
	const voters = leader === null ? [] : votersAfter(members, changes);
	const quorum = Math.floor(voters.length / 2) + 1;
	const faults = voters.flatMap((node) => {
		if (limits.assumed?.includes(node)) return [];
		const fault = voterFault(facts, { leader, node, limits });
		return fault === null ? [] : [{ node, fault }];
	});
	const faulty = new Set(faults.map(({ node }) => node));
	const connected = voters.filter((id) => !faulty.has(id));
	const tolerance = Math.max(0, connected.length - quorum);
	const verdict = { voters, connected, quorum, tolerance };
	const no = (reason: string) => ({ ...verdict, safe: false, reason });
	if (leader === null) return no("no leader that a quorum confirms");
	if (isJoint(members)) return no("another change of members is under way");
	if (voters.length === 0) return no("nobody would be left to vote");
	const standing = `${connected.join(", ") || "none"} of ${voters.length} ${voters.length === 1 ? "voter" : "voters"} would be connected, quorum ${quorum}`;
	if (connected.length < quorum)
		return no(
			`${standing}; ${faults.map(({ node, fault }) => `${node} ${fault}`).join("; ")}`,
		);
	return { ...verdict, safe: true, reason: standing };
}

/** What the change costs in safety, for a plan: how many may fail when it is made. */
export function toleranceText({ voters, tolerance }: ChangeVerdict): string {
	const names = `${voters.length} ${voters.length === 1 ? "voter" : "voters"} then`;
	if (tolerance === 0) return `${names}, none of which may fail`;
	return `${names}, of which ${tolerance} may fail`;
}

/** What it costs that `node` is no voter for a while. */
export function removalCost(
	facts: ClusterFacts,
	node: string,
	limits: HealthLimits,
): string {
	return toleranceText(
		judgeChange(facts, [{ id: node, type: "remove" }], limits),
	);
}
