import type { Alarm } from "../machines/control.js";
import { membersOf } from "../raft/configurations.js";
import type { DrainView } from "./drain.js";
import type { LinkTrouble, ReplicaStatus } from "./replica.js";

/**
 * Should the process be restarted? Never depends on other nodes: during a loss of quorum, restarting healthy members
 * makes it worse (P69).
 */
export function liveChecks(facts: HealthFacts, limits: HealthLimits): Check[] {
	const { status, recentStallMs } = facts;
	return [
		check(
			"event-loop",
			recentStallMs <= limits.eventLoopStallMs ||
				`stalled for ${ms(recentStallMs)} within the last 20 s`,
		),
		check(
			"disk",
			status.diskPendingMs <= limits.diskDeadMs ||
				`a write has been under way for ${ms(status.diskPendingMs)}`,
		),
		check("not-failed", status.failure === null || status.failure),
	];
}

/** Should new requests and connections come here? */
export function readyChecks(facts: HealthFacts, limits: HealthLimits): Check[] {
	const { drain, leaderlessMs, caughtUpAgoMs } = facts;
	return [
		check("started", facts.started || "the client port is not open yet"),
		check(
			"leader-known",
			leaderlessMs <= limits.leaderlessMs || leaderReason(facts),
		),
		check(
			"caught-up",
			(caughtUpAgoMs !== null && caughtUpAgoMs <= limits.caughtUpMs) ||
				catchUpReason(facts),
		),
		check("not-draining", !drain.draining || drainReason(drain)),
		check("member", memberReason(facts) ?? true),
		check("state", alarmReason(facts) ?? true),
		check("healthy", healthReason(facts, limits) ?? true),
	];
}

/** One word for balancers. Draining wins over reasons that will pass, as its connections must still be served. */
export function nodeState(checks: readonly Check[]): NodeState {
	const failed = checks.filter((one) => !one.ok).map((one) => one.name);
	if (failed.length === 0) return "ready";
	const serves = !["healthy", "started", "member", "state"].some((name) =>
		failed.includes(name),
	);
	return serves && failed.includes("not-draining") ? "draining" : "unready";
}

export type NodeState = "ready" | "draining" | "unready";

export interface Check {
	readonly name: string;
	readonly ok: boolean;
	/** Why not; empty when ok. */
	readonly reason: string;
}

export interface HealthFacts {
	readonly started: boolean;
	readonly status: ReplicaStatus;
	/** What stands against this node or others, as the cluster knows it. */
	readonly alarms: readonly Alarm[];
	readonly drain: DrainView;
	/** How long no leader has been known, or none that this node has a link to; Infinity when there never was one. */
	readonly leaderlessMs: number;
	/** See CatchUp.agoMs. */
	readonly caughtUpAgoMs: number | null;
	readonly leaderCommit: {
		readonly index: number;
		readonly heardAgoMs: number;
	} | null;
	readonly recentStallMs: number;
}

export interface HealthLimits {
	/** A change of leader must not take every node out of the balancer at once: no longer than an election. */
	readonly leaderlessMs: number;
	readonly caughtUpMs: number;
	readonly diskStallMs: number;
	readonly diskDeadMs: number;
	readonly eventLoopStallMs: number;
}

export function healthLimits(timing: {
	readonly electionTimeoutMs: number;
	readonly diskStallMs: number;
}): HealthLimits {
	return {
		leaderlessMs: timing.electionTimeoutMs,
		caughtUpMs: 2 * timing.electionTimeoutMs,
		diskStallMs: timing.diskStallMs,
		diskDeadMs: Math.max(30_000, 5 * timing.diskStallMs),
		eventLoopStallMs: 5_000,
	};
}

function check(name: string, outcome: boolean | string): Check {
	return outcome === true
		? { name, ok: true, reason: "" }
		: { name, ok: false, reason: outcome || "no" };
}

function leaderReason({ leaderlessMs, status }: HealthFacts): string {
	const { leader } = status.raft;
	const what =
		leader === null ? "no leader is known" : `no link to the leader ${leader}`;
	const since = Number.isFinite(leaderlessMs)
		? `${what} for ${ms(leaderlessMs)}`
		: leader === null
			? "no leader has been known since the start"
			: `${what} since the start`;
	const [refusal] = refusalsOf(status);
	// One that waits to be added is told of it by the check `member`.
	return refusal === undefined || waits(status)
		? since
		: `${since}; ${refused(status, refusal)}`;
}

function catchUpReason(facts: HealthFacts): string {
	const { leaderCommit, status } = facts;
	if (leaderCommit === null) return "no leader has told its commit index yet";
	const behind = leaderCommit.index - status.applied;
	const heard = `the leader was heard ${ms(leaderCommit.heardAgoMs)} ago`;
	return behind > 0
		? `applied ${status.applied} of ${leaderCommit.index}, ${behind} behind; ${heard}`
		: heard;
}

function drainReason(drain: DrainView): string {
	if (drain.phase === "stopping") return "the node is stopping";
	const doing = drain.closing ? "connections are moved away" : "announced";
	return `draining (${doing}), for another ${ms(drain.leaseLeftMs)} unless renewed`;
}

/** A node that was removed may not know it, but one that does must not take requests. */
function memberReason({ status }: HealthFacts): string | null {
	const { id, configuration } = status.raft;
	if (membersOf(configuration).includes(id)) return null;
	return waits(status)
		? waitingReason(status)
		: "the node was removed from the cluster";
}

function waits({ raft }: ReplicaStatus): boolean {
	return raft.configurationIndex === 0;
}

/** What it waits for may never come: then this is the only place that says why. */
function waitingReason(status: ReplicaStatus): string {
	const waiting = "the node waits to be added to the cluster";
	const [refusal] = refusalsOf(status);
	if (refusal !== undefined) return refused(status, refusal);
	const unknown = status.linkTroubles
		.filter(({ kind }) => kind === "unknown-address")
		.map(({ peer }) => peer);
	if (unknown.length === 0) return waiting;
	const names = unknown.join(", ");
	return `${waiting}, and cannot answer ${names}, which dials it: add ${names} with its addresses to members in the node's configuration and start it again`;
}

/** Those that a person must do something about first. */
function refusalsOf({ linkTroubles }: ReplicaStatus) {
	const isLost = ({ cause }: { cause: string }) => cause === "incarnation";
	const all = linkTroubles.filter((one) => one.kind === "refused");
	return [...all.filter(isLost), ...all.filter((one) => !isLost(one))];
}

function refused(
	{ raft: { id } }: ReplicaStatus,
	{ peer, cause, sentence }: Extract<LinkTrouble, { kind: "refused" }>,
): string {
	return cause === "incarnation"
		? `the cluster knows ${id} with another data directory, and ${id} must be removed before it is added anew (raftctl reset-node ${id}): ${sentence}`
		: `${peer} refuses this node: ${sentence}`;
}

/** What it holds or says is not to be relied on. */
function alarmReason({ alarms, status }: HealthFacts): string | null {
	const alarm = alarms.find(({ node }) => node === status.raft.id);
	return alarm === undefined ? null : `${alarm.kind}: ${alarm.message}`;
}

function healthReason(
	{ status }: HealthFacts,
	limits: HealthLimits,
): string | null {
	if (status.failure !== null) return status.failure;
	if (status.diskPendingMs > limits.diskStallMs)
		return `a write has been under way for ${ms(status.diskPendingMs)}`;
	return null;
}

function ms(duration: number): string {
	return `${Math.round(duration)} ms`;
}
