import type { FollowerView, NodeStatus } from "./engine.js";
import { type ClusterFacts, statusOf } from "./facts.js";

/** What counts as caught up and as heard. */
export interface HealthLimits {
	/** A voter that its leader has not heard for longer does not count: one election timeout. */
	readonly heardWithinMs: number;
	/** A voter whose durable log is further behind the leader's commit index does not count. */
	readonly lagEntries: number;
}

export interface QuorumVerdict {
	/** The leader that a quorum of voters confirms; null when there is none. */
	readonly leader: string | null;
	readonly term: number;
	/** Voters in force, by the leader's configuration, or by the newest one anybody answered with. */
	readonly voters: readonly string[];
	/** How many voters decide. */
	readonly quorum: number;
	/** Voters that are up and caught up. */
	readonly sound: readonly string[];
	/** Why each of the other voters does not count. */
	readonly faults: readonly { readonly node: string; readonly fault: string }[];
	/** How many more voters may fail before the cluster stops accepting writes. */
	readonly tolerance: number;
	/** A configuration with outgoing voters is in force. */
	readonly changing: boolean;
}

export interface StopVerdict {
	readonly safe: boolean;
	/** One sentence without a full stop, for either answer. */
	readonly reason: string;
	/** Sound voters that remain beyond the quorum; negative when it would be lost. */
	readonly margin: number;
}

/** The state of the quorum as all fresh answers together prove it; a silent voter never counts. */
export function judgeQuorum(
	facts: ClusterFacts,
	limits: HealthLimits,
): QuorumVerdict {
	const leader = confirmedLeader(facts);
	const members = newestMembers(facts, leader);
	const voters = members
		.filter(({ role }) => role === "voter")
		.map(({ id }) => id);
	const faults = voters.flatMap((node) => {
		const fault = voterFault(facts, { leader, node, limits });
		return fault === null ? [] : [{ node, fault }];
	});
	const faulty = new Set(faults.map(({ node }) => node));
	const sound = voters.filter((id) => !faulty.has(id));
	const quorum = Math.floor(voters.length / 2) + 1;
	return {
		leader: leader?.nodeId ?? null,
		term: leader?.term ?? highestTerm(facts),
		voters,
		quorum,
		sound,
		faults,
		tolerance: leader === null ? 0 : Math.max(0, sound.length - quorum),
		changing: members.some(({ role }) => role === "outgoing"),
	};
}

/**
 * Whether stopping `node` leaves a quorum of voters that are up and caught up, by the leader's view of their logs and by
 * each one's own fresh answer. A leader is judged as if it handed leadership over first.
 */
export function safeToStop(
	facts: ClusterFacts,
	node: string,
	limits: HealthLimits,
): StopVerdict {
	const verdict = judgeQuorum(facts, limits);
	const { voters, quorum, sound } = verdict;
	const remaining = sound.filter((id) => id !== node);
	const margin = remaining.length - quorum;
	if (verdict.leader === null)
		return { safe: false, margin, reason: "no leader that a quorum confirms" };
	if (verdict.changing)
		return { safe: false, margin, reason: "a membership change is under way" };
	if (!voters.includes(node)) {
		return margin >= 0
			? { safe: true, margin, reason: "not a voter; the quorum is whole" }
			: { safe: false, margin, reason: lossOf(verdict, node) };
	}
	if (margin < 0) return { safe: false, margin, reason: lossOf(verdict, node) };
	return {
		safe: true,
		margin,
		reason: `${remaining.join(", ")} remain: ${remaining.length} of ${voters.length} voters, quorum ${quorum}`,
	};
}

/** How far `node` has yet to apply what the leader has committed; null when either is not known. */
export function lagOf(facts: ClusterFacts, node: string): number | null {
	const leader = confirmedLeader(facts);
	const status = statusOf(facts, node);
	// A follower's own commit index proves nothing: one that hears nobody is never behind itself.
	if (leader === null || status === null) return null;
	return Math.max(0, leader.commitIndex - status.appliedIndex);
}

/** The node that calls itself leader and that a quorum of its own voters, itself included, follows in its term. */
export function confirmedLeader(facts: ClusterFacts): NodeStatus | null {
	const claimants = answers(facts)
		.filter(({ role }) => role === "leader")
		.sort((a, b) => b.term - a.term);
	const leader = claimants[0];
	// Whoever says that it leads and names no leader, or another, contradicts itself.
	if (leader === undefined || leader.leader !== leader.nodeId) return null;
	const voters = leader.members.filter(({ role }) => role === "voter");
	const followers = voters.filter(({ id }) => {
		const status = statusOf(facts, id);
		return status?.term === leader.term && status.leader === leader.nodeId;
	});
	return followers.length > voters.length / 2 ? leader : null;
}

/** Why the leader's word, or the voter's own, does not vouch for this voter; null when both do. */
export function voterFault(
	facts: ClusterFacts,
	asked: {
		readonly leader: NodeStatus | null;
		readonly node: string;
		readonly limits: HealthLimits;
	},
): string | null {
	const { leader, node, limits } = asked;
	const known = facts.nodes.find(({ id }) => id === node);
	if (known === undefined) return "is not in the cluster file";
	const { status } = known;
	if (status === null) return known.fault;
	if (leader === null) return "has no leader that a quorum confirms";
	return (
		viewFault(leader, status) ??
		readinessFault(status) ??
		(status.nodeId === leader.nodeId
			? null
			: progressFault(leader, status.nodeId, limits))
	);
}

function viewFault(leader: NodeStatus, status: NodeStatus): string | null {
	if (status.term !== leader.term)
		return `is in term ${status.term}, the leader in ${leader.term}`;
	if (status.leader !== leader.nodeId)
		return `follows ${status.leader ?? "nobody"}, not ${leader.nodeId}`;
	if (status.configurationIndex !== leader.configurationIndex)
		return `has the configuration of index ${status.configurationIndex}, the leader that of ${leader.configurationIndex}`;
	return null;
}

function readinessFault(status: NodeStatus): string | null {
	const reasons = ailments(status);
	return reasons.length === 0 ? null : `is not ready: ${reasons.join("; ")}`;
}

/** Every reason why the node is not ready, by its own checks. */
export function unreadyReasons(status: NodeStatus): readonly string[] {
	if (status.ready) return [];
	const failed = status.checks.filter(({ ok }) => !ok);
	return failed.length === 0
		? ["no reason given"]
		: failed.map(({ name, reason }) =>
				reason === "" ? name : `${name}: ${reason}`,
			);
}

/**
 * Reasons other than its drain: a draining node is unready by wish, and still votes and replicates. One that is stopping
 * does so only for another moment, so nobody may count on it.
 */
export function ailments(status: NodeStatus): readonly string[] {
	const healthy = status.checks.filter(({ name }) => name !== drainCheck);
	const { draining, stopping } = status.drain;
	const others = unreadyReasons(
		draining ? { ...status, ...judged(healthy) } : status,
	);
	return stopping ? ["it is stopping", ...others] : others;
}

const drainCheck = "not-draining";

function judged(checks: NodeStatus["checks"]) {
	return { checks, ready: checks.every(({ ok }) => ok) };
}

/** Why the leader does not count on this member's log; null when it does. */
export function progressFault(
	leader: NodeStatus,
	node: string,
	limits: HealthLimits,
): string | null {
	const view: FollowerView | undefined = leader.followers.find(
		({ id }) => id === node,
	);
	if (view === undefined) return `is not listed by the leader ${leader.nodeId}`;
	if (view.heardAgoMs > limits.heardWithinMs)
		return `was not heard by the leader for ${Math.round(view.heardAgoMs)} ms`;
	const behind = leader.commitIndex - view.match;
	return behind > limits.lagEntries
		? `is ${behind} ${behind === 1 ? "entry" : "entries"} behind the leader`
		: null;
}

function lossOf(
	{ voters, quorum, sound, faults }: QuorumVerdict,
	node: string,
) {
	const remaining = sound.filter((id) => id !== node);
	const others = faults.filter((fault) => fault.node !== node);
	const rest = `${remaining.join(", ") || "no voter"} would remain of ${voters.length} voters, quorum ${quorum}`;
	return others.length === 0
		? rest
		: `${rest}; ${others.map((fault) => `${fault.node} ${fault.fault}`).join("; ")}`;
}

function newestMembers(facts: ClusterFacts, leader: NodeStatus | null) {
	if (leader !== null) return leader.members;
	const [newest] = answers(facts).sort(
		(a, b) => b.configurationIndex - a.configurationIndex,
	);
	return newest?.members ?? [];
}

function highestTerm(facts: ClusterFacts): number {
	return Math.max(0, ...answers(facts).map(({ term }) => term));
}

function answers(facts: ClusterFacts): NodeStatus[] {
	return facts.nodes.flatMap(({ status }) => (status === null ? [] : [status]));
}
