import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { confirmedLeader, lagOf } from "../../cluster/health.js";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";

/** A follower that is so far behind is still as good a source: what it lacks is minutes old at most. */
const maxLagEntries = 10_000;

/**
 * The node to take a snapshot on: a caught-up follower, so that the leader is not kept from its work; else the leader.
 * Learners come first: nobody waits for them. Throws OperatorError "refused" when no node is fit,
 * naming why, "unreachable" when none that it could be answers.
 */
export function snapshotSource(
	context: Pick<OperationContext, "inventory">,
	facts: ClusterFacts,
	wish: {
		/** Null: the fittest. */
		readonly node: string | null;
		/** Also one against which an alarm stands, where no other is fit. */
		readonly withAlarms: boolean;
	},
): string {
	const { node: wished, withAlarms } = wish;
	const leader = confirmedLeader(facts);
	const rank = (id: string) => {
		if (hasAlarm(facts, id)) return 3;
		if (id === leader?.nodeId) return 2;
		const role = leader?.members.find((one) => one.id === id)?.role;
		return role === "learner" ? 0 : 1;
	};
	const faults = facts.nodes.map(({ id }) => ({
		id,
		fault: unfitness(facts, id, withAlarms),
	}));
	const fit = faults.filter(({ fault }) => fault === null);
	const found =
		wished === null
			? fit.sort((a, b) => rank(a.id) - rank(b.id))[0]
			: fit.find(({ id }) => id === wished);
	if (found !== undefined) return found.id;
	const asked = faults.filter(({ id }) => wished === null || id === wished);
	const status = commandFor(context, "status");
	const isSilent = asked.every(({ id }) => statusOf(facts, id) === null);
	throw new OperatorError(
		isSilent ? "unreachable" : "refused",
		wished === null
			? "no node can take a snapshot now"
			: `${wished} can take no snapshot now`,
		{
			problems: asked.map(({ id, fault }) => `${id} ${fault}`),
			state: "nothing was touched",
			next: asked.some(({ fault }) => fault === alarmed)
				? `${status} names the alarms, docs/snapshots.md says what to make of them; --skip=alarm takes one all the same`
				: status,
		},
	);
}

const alarmed = "has an alarm raised against it";

function hasAlarm(facts: ClusterFacts, id: string): boolean {
	const { alarms = [] } = statusOf(facts, id) ?? {};
	return alarms.some(({ node }) => node === id);
}

/** Why a snapshot of this node would be none of the cluster as it is; null when it would. */
function unfitness(
	facts: ClusterFacts,
	id: string,
	withAlarms: boolean,
): string | null {
	const status = statusOf(facts, id);
	if (status === null)
		return facts.nodes.find((node) => node.id === id)?.fault ?? "is unknown";
	const leader = confirmedLeader(facts);
	if (leader === null) return "follows no leader that a quorum confirms";
	if (!leader.members.some((member) => member.id === id))
		return "is not a member of the cluster";
	if (!withAlarms && hasAlarm(facts, id)) return alarmed;
	const lag = lagOf(facts, id);
	if (lag === null) return "has not told how far it is";
	return lag > maxLagEntries ? `is ${lag} entries behind` : null;
}
