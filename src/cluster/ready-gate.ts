import { type ClusterFacts, statusOf } from "./facts.js";
import {
	ailments,
	confirmedLeader,
	type HealthLimits,
	progressFault,
} from "./health.js";

interface GateQuestion {
	readonly node: string;
	/** The process that ran before the restart; the same one means that nothing was restarted. Null when unknown. */
	readonly formerProcessId: string | null;
	/** The leader's commit index, taken after the start. */
	readonly index: number;
	readonly limits: HealthLimits;
}

interface GateVerdict {
	readonly passed: boolean;
	/** What is missing yet; empty when it passed. */
	readonly reason: string;
}

/**
 * Whether a restarted node is a full member again: a new process, ready by its own word, its applied index at or past
 * what the leader had committed after the start, its log counted on by the leader, and every peer lists and reaches it.
 * A node's own word is not enough: the others must see it too.
 */
export function judgeReadyGate(
	facts: ClusterFacts,
	question: GateQuestion,
): GateVerdict {
	const reason = ownFault(facts, question) ?? peersFault(facts, question);
	return { passed: reason === null, reason: reason ?? "" };
}

function ownFault(facts: ClusterFacts, question: GateQuestion): string | null {
	const { node, formerProcessId, index } = question;
	const known = facts.nodes.find(({ id }) => id === node);
	const status = known?.status ?? null;
	if (status === null) return `${node} ${known?.fault ?? "is not known"}`;
	if (status.processId === formerProcessId)
		return `${node} still runs as the process from before the restart`;
	if (status.appliedIndex < index)
		return `${node} has applied ${status.appliedIndex} of ${index}`;
	const reasons = ailments(status);
	return reasons.length === 0
		? null
		: `${node} is not ready: ${reasons.join("; ")}`;
}

function peersFault(
	facts: ClusterFacts,
	{ node, limits }: GateQuestion,
): string | null {
	const leader = confirmedLeader(facts);
	if (leader === null) return "no leader that a quorum confirms";
	const progress =
		leader.nodeId === node ? null : progressFault(leader, node, limits);
	if (progress !== null) return `${node} ${progress}`;
	for (const { id } of leader.members.filter((member) => member.id !== node)) {
		const peer = statusOf(facts, id);
		if (peer === null) return `its peer ${id} does not answer`;
		if (!peer.members.some((member) => member.id === node))
			return `its peer ${id} does not list it`;
		if (!peer.connectedPeers.includes(node))
			return `its peer ${id} does not reach it`;
	}
	return null;
}
