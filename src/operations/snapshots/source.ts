import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { confirmedLeader, lagOf } from "../../cluster/health.js";
import { OperatorError } from "../../errors.js";

/** A follower that is so far behind is still as good a source: what it lacks is minutes old at most. */
const maxLagEntries = 10_000;

/**
 * The node to take a snapshot on: a caught-up follower, so that the leader is not kept from its work; else the leader.
 * Learners come first: nobody waits for them. Throws OperatorError "refused" when no node is fit, naming why.
 */
export function snapshotSource(
	facts: ClusterFacts,
	wished: string | null,
): string {
	const leader = confirmedLeader(facts);
	const rank = (id: string) => {
		if (id === leader?.nodeId) return 2;
		const role = leader?.members.find((one) => one.id === id)?.role;
		return role === "learner" ? 0 : 1;
	};
	const faults = facts.nodes.map(({ id }) => ({
		id,
		fault: unfitness(facts, id),
	}));
	const fit = faults.filter(({ fault }) => fault === null);
	const found =
		wished === null
			? fit.sort((a, b) => rank(a.id) - rank(b.id))[0]
			: fit.find(({ id }) => id === wished);
	if (found !== undefined) return found.id;
	const asked = faults.filter(({ id }) => wished === null || id === wished);
	throw new OperatorError(
		"refused",
		wished === null
			? "no node can take a snapshot now"
			: `${wished} can take no snapshot now`,
		{
			problems: asked.map(({ id, fault }) => `${id} ${fault}`),
			state: "nothing was touched",
		},
	);
}

/** Why a snapshot of this node would be none of the cluster as it is; null when it would. */
function unfitness(facts: ClusterFacts, id: string): string | null {
	const status = statusOf(facts, id);
	if (status === null)
		return facts.nodes.find((node) => node.id === id)?.fault ?? "is unknown";
	const leader = confirmedLeader(facts);
	if (leader === null) return "follows no leader that a quorum confirms";
	if (!leader.members.some((member) => member.id === id))
		return "is not a member of the cluster";
	if (status.alarms.some(({ node }) => node === id))
		return "has an alarm raised against it";
	const lag = lagOf(facts, id);
	if (lag === null) return "has not told how far it is";
	return lag > maxLagEntries ? `is ${lag} entries behind` : null;
}
