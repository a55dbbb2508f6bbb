import { foundingLevel } from "./bootstrap.js";
import {
	leaveJoint,
	type PlannedChange,
	planChange,
	transitionTo,
} from "./changes.js";
import { encodeConfiguration } from "./codec.js";
import { isJoint, membersOf } from "./configurations.js";
import type { Core } from "./core.js";
import { sendHeartbeats } from "./heartbeats.js";
import { appendEntry, makeProgress } from "./leader.js";
import { majority } from "./quorum.js";
import { yieldLeadership } from "./transfer.js";
import {
	type CatchUpStatus,
	type ChangeRefusal,
	type ChangeRefusalReason,
	type Configuration,
	type ConfigurationChange,
	EntryKind,
	type NodeId,
} from "./types.js";

/** Begins a change of who takes part; it ends in Ready.changes. */
export function changeConfiguration(
	core: Core,
	change: ConfigurationChange,
	token: number,
): void {
	const refusal = notNow(core, change);
	if (refusal !== null) {
		refuse(core, token, refusal);
		return;
	}
	const planned = planChange(core.configuration, change);
	const unsafe =
		planned.kind === "refused"
			? { ...planned, catchUp: null }
			: unsafeBecause(core, planned, change);
	if (planned.kind === "refused" || unsafe !== null) {
		refuse(core, token, unsafe as ChangeRefusal);
		return;
	}
	core.change = { token };
	appendConfiguration(core, transitionTo(core.configuration, planned.target));
}

function refuse(core: Core, token: number, refusal: ChangeRefusal): void {
	const { reason, node, catchUp } = refusal;
	core.changeOutcomes.push({
		...{ token, outcome: "refused", index: 0 },
		refusal: { reason, node, catchUp },
	});
}

/** Whether this is a moment at which no change at all may begin. */
function notNow(
	core: Core,
	{ expectedIndex }: ConfigurationChange,
): ChangeRefusal | null {
	const no = (reason: ChangeRefusalReason) => ({
		...{ reason, node: null, catchUp: null },
	});
	const { latestIndex } = core.configurations;
	if (core.role !== "leader") return no("not-leader");
	if (core.transfer !== null) return no("transferring");
	if (core.diskPendingMs > core.options.diskStallMs) return no("disk-stalled");
	// Without a commit of its own term a leader may build on a configuration that another leader has replaced: two such
	// changes, one after the other, can have quorums that do not meet (P20).
	if (core.log.commit < core.termStart) return no("term-not-committed");
	if (latestIndex > core.log.commit || isJoint(core.configuration))
		return no("change-in-flight");
	if (expectedIndex !== null && expectedIndex !== latestIndex)
		return no("configuration-changed");
	return null;
}

/** What the change would put at risk; null when nothing, or when the caller has taken it upon itself by name. */
function unsafeBecause(
	core: Core,
	{ target, promoted }: Extract<PlannedChange, { kind: "planned" }>,
	{ waived }: ConfigurationChange,
): ChangeRefusal | null {
	if (!waived.includes("catch-up")) {
		for (const node of promoted) {
			const catchUp = catchUpOf(core, node);
			if (!isConnected(core, node))
				return { reason: "target-unreachable", node, catchUp };
			if (catchUp?.caughtUp !== true)
				return { reason: "target-lagging", node, catchUp };
		}
	}
	if (waived.includes("quorum") || !changesVoters(core.configuration, target))
		return null;
	const connected = target.voters.filter((id) => isConnected(core, id)).length;
	return connected < majority(target.voters.length)
		? { reason: "quorum-at-risk", node: null, catchUp: null }
		: null;
}

function changesVoters(current: Configuration, target: Configuration): boolean {
	return isJoint(transitionTo(current, target));
}

/** Whether `id` has really been heard in this term, and lately (P28). */
function isConnected(core: Core, id: NodeId): boolean {
	if (id === core.id) return true;
	const progress = core.followers.get(id);
	return (
		progress?.hasSpoken === true &&
		core.isCounted(id) &&
		core.nowMs - progress.heardMs < core.options.electionTimeoutMs
	);
}

/** How far behind a follower of this leader is; null for one that is none. */
export function catchUpOf(core: Core, id: NodeId): CatchUpStatus | null {
	const progress = core.followers.get(id);
	if (progress === undefined) return null;
	return progress.catchUp.status({
		...{ match: progress.match, lastIndex: core.log.lastIndex },
		...{ nowMs: core.nowMs, roundLimitMs: core.options.electionTimeoutMs },
		leaderRate: core.growth.perSecond(core.nowMs),
		heard: isConnected(core, id),
	});
}

function appendConfiguration(core: Core, configuration: Configuration): void {
	appendEntry(
		core,
		EntryKind.configuration,
		foundingLevel,
		encodeConfiguration(configuration),
	);
	followMembers(core);
}

/** The leader replicates to whoever the configuration in force names, and says good-bye to the others. */
export function followMembers(core: Core): void {
	const members = new Set(membersOf(core.configuration));
	for (const id of members) {
		const progress = core.followers.get(id);
		if (id === core.id) continue;
		// One that was removed and comes back may have another disk: nothing known of it holds (P31, P52).
		if (progress === undefined || progress.leavingUntilMs !== null)
			core.followers.set(id, makeProgress(core, id));
	}
	for (const progress of core.followers.values()) {
		if (members.has(progress.id)) continue;
		progress.leavingUntilMs ??= Number.POSITIVE_INFINITY;
	}
}

/**
 * After a commit: a joint configuration that is committed is left, whoever leads now (P23); one that is final ends the
 * change; and a leader that is no longer a member hands over (P25).
 */
export function settleConfiguration(core: Core): void {
	const { latestIndex } = core.configurations;
	if (latestIndex > core.log.commit || core.log.commit < core.termStart) return;
	if (isJoint(core.configuration)) {
		// Nobody who was asked to campaign may fall behind: it will leave it, or this leader once the transfer failed (P37).
		if (core.transfer?.asked !== true)
			appendConfiguration(core, leaveJoint(core.configuration));
		return;
	}
	if (core.change !== null) {
		const { token } = core.change;
		core.changeOutcomes.push({
			...{ token, outcome: "done", index: latestIndex, refusal: null },
		});
		core.change = null;
	}
	releaseLeavers(core);
	if (!core.isVoter) stepDownAsNoVoter(core);
}

/** Members that were removed are told so, and then no longer spoken to. */
function releaseLeavers(core: Core): void {
	for (const progress of core.followers.values()) {
		if (progress.leavingUntilMs === Number.POSITIVE_INFINITY)
			progress.leavingUntilMs = core.nowMs + core.options.electionTimeoutMs;
	}
}

/** Drops whoever was removed and knows it, or has had time enough to. */
export function forgetLeavers(core: Core): void {
	for (const { id, leavingUntilMs, commitSent } of core.followers.values()) {
		if (leavingUntilMs === null) continue;
		const told = commitSent >= core.configurations.latestIndex;
		if (told || core.nowMs >= leavingUntilMs) core.followers.delete(id);
	}
}

/** The others must hear of the commit first, or they would wait for an election timeout. */
function stepDownAsNoVoter(core: Core): void {
	sendHeartbeats(core);
	yieldLeadership(core);
}

/** This node no longer leads, so it cannot tell how its change ends. */
export function abandonChange(core: Core): void {
	if (core.change === null) return;
	const { token } = core.change;
	core.changeOutcomes.push({
		...{ token, outcome: "unknown", index: 0, refusal: null },
	});
	core.change = null;
}
