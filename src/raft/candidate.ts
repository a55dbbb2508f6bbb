import type { Core } from "./core.js";
import { becomeFollower } from "./follower.js";
import { becomeLeader } from "./leader.js";
import { voteResult } from "./quorum.js";
import type { VoteResponse } from "./types.js";

/**
 * Starts a campaign. `pre` asks first whether it could be won, without raising anyone's term; `transfer` skips that
 * and lifts stickiness, because the leader itself asked for it.
 */
export function campaign(
	core: Core,
	kind: "pre" | "election" | "transfer",
): void {
	core.attempt++;
	core.votes.clear();
	core.forwardedReads.failAll(core.readOutcomes);
	core.leader = null;
	core.changed = true;
	core.resetElectionTimer();
	if (kind === "pre") {
		core.role = "pre-candidate";
		core.votes.set(core.id, true);
	} else {
		core.role = "candidate";
		// Its own vote counts once it is durable: see countOwnVote.
		core.setTerm(core.term + 1, core.id);
	}
	requestVotes(core, kind);
	conclude(core);
}

function requestVotes(core: Core, kind: "pre" | "election" | "transfer"): void {
	const { voters, outgoing } = core.configuration;
	for (const id of new Set([...voters, ...outgoing])) {
		if (id === core.id) continue;
		core.send({
			type: "vote-request",
			from: core.id,
			to: id,
			term: core.term,
			pre: kind === "pre",
			transfer: kind === "transfer",
			attempt: core.attempt,
			lastIndex: core.log.lastIndex,
			lastTerm: core.log.lastTerm,
		});
	}
}

/** A candidate's own vote is a promise like any other: it counts when it is on disk (P1). */
export function countOwnVote(core: Core): void {
	if (
		core.role !== "candidate" ||
		!core.hardStateDurable ||
		core.votes.has(core.id)
	)
		return;
	core.votes.set(core.id, true);
	conclude(core);
}

export function handleVoteResponse(core: Core, message: VoteResponse): void {
	const campaigning = message.pre
		? core.role === "pre-candidate"
		: core.role === "candidate";
	if (!campaigning || message.attempt !== core.attempt) return;
	if (!core.votes.has(message.from))
		core.votes.set(message.from, message.granted);
	conclude(core);
}

function conclude(core: Core): void {
	const result = voteResult(core.configuration, (id) =>
		core.isCounted(id) ? core.votes.get(id) : false,
	);
	if (result === "lost") becomeFollower(core, core.term, null);
	else if (result === "won" && core.role === "pre-candidate")
		campaign(core, "election");
	else if (result === "won") becomeLeader(core);
}
