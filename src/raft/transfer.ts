import type { Core } from "./core.js";
import { becomeFollower } from "./follower.js";
import type { Progress } from "./progress.js";
import type { NodeId, Refusal } from "./types.js";

/** How far behind a transfer's target may be: it must catch up while no writes are taken (P37). */
const maxTransferLagEntries = 4096;

/** Begins to hand leadership to `target`, or to the most caught-up voter. Until it ends no proposals are taken. */
export function beginTransfer(
	core: Core,
	target: NodeId | null,
	token: number,
): void {
	const chosen = target ?? mostCaughtUp(core);
	const reason = transferRefusal(core, chosen);
	if (reason !== null || chosen === null) {
		core.transferOutcomes.push({ token, outcome: "refused", reason });
		return;
	}
	core.transfer = {
		target: chosen,
		token,
		deadlineMs: core.nowMs + core.options.transferTimeoutMs,
		asked: false,
	};
	core.replicationWanted = true;
	core.changed = true;
	handOver(core);
}

function transferRefusal(core: Core, target: NodeId | null): Refusal | null {
	if (core.role !== "leader") return "not-leader";
	if (core.transfer !== null) return "transferring";
	if (target === null) return "target-unreachable";
	if (target === core.id) return "already-leader";
	// One that is on its way out would lead only to hand over again.
	if (!core.configuration.voters.includes(target)) return "not-a-voter";
	if (!core.isCounted(target)) return "target-lagging";
	const progress = core.followers.get(target) as Progress;
	if (core.nowMs - progress.heardMs >= core.options.electionTimeoutMs)
		return "target-unreachable";
	if (progress.state !== "replicate") return "target-lagging";
	return core.log.lastIndex - progress.match > maxTransferLagEntries
		? "target-lagging"
		: null;
}

/** The voter with the most of the log, among those that were heard lately. */
function mostCaughtUp(core: Core): NodeId | null {
	let best: Progress | null = null;
	for (const progress of core.followers.values()) {
		if (!core.configuration.voters.includes(progress.id)) continue;
		if (!core.isCounted(progress.id)) continue;
		if (core.nowMs - progress.heardMs >= core.options.electionTimeoutMs)
			continue;
		if (best === null || progress.match > best.match) best = progress;
	}
	return best?.id ?? null;
}

/** The target may campaign only when it holds everything (P37). */
export function handOver(core: Core): void {
	const { transfer } = core;
	if (transfer === null || transfer.asked) return;
	if (core.followers.get(transfer.target)?.match !== core.log.lastIndex) return;
	transfer.asked = true;
	askToCampaign(core, transfer.target);
}

function askToCampaign(core: Core, to: NodeId): void {
	// From now on it may win although the others have just heard this leader (P37, P43).
	core.leaseVoid = true;
	core.send({ type: "timeout-now", from: core.id, to, term: core.term });
}

/** Gives leadership up because this node's disk does not answer; somebody else should lead at once (P36). */
export function yieldLeadership(core: Core): void {
	const successor = mostCaughtUp(core);
	if (successor !== null) askToCampaign(core, successor);
	becomeFollower(core, core.term, null);
}
