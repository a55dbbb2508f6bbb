import type { BackendStatus } from "../balancers/balancer.js";
import {
	type Disagreement,
	findDisagreements,
} from "../cluster/disagreements.js";
import type {
	CertificatesStatus,
	LockStatus,
	NodeStatus,
} from "../cluster/engine.js";
import { type ClusterFacts, gatherFacts, statusOf } from "../cluster/facts.js";
import {
	confirmedLeader,
	judgeQuorum,
	lagOf,
	type QuorumVerdict,
	safeToStop,
	unreadyReasons,
} from "../cluster/health.js";
import type { NodeEntry } from "../config/inventory.js";
import { reasonOf } from "../errors.js";
import { certificateProblems } from "./certs/expiry.js";
import {
	callTimeoutMs,
	healthLimits,
	type OperationContext,
} from "./context.js";
import {
	type KeptByCluster,
	keptByCluster,
	keptProblems,
} from "./kept-by-cluster.js";
import { withLeadersWord, withStrangers } from "./leaders-word.js";
import { hostsUnfinished, type OperationView } from "./operations.js";
import { scheduledSince } from "./snapshots/schedule-age.js";
import {
	balancerProblems,
	nodeProblems,
	quorumProblems,
} from "./status-problems.js";
import { lookAtBalancer } from "./steps/balancer-view.js";

/** What `raftctl status --json` prints; null where it could not be known. */
export interface StatusReport extends KeptByCluster {
	readonly cluster: string;
	readonly clusterId: string;
	readonly leader: string | null;
	readonly term: number;
	readonly quorum: {
		readonly voters: readonly string[];
		readonly needed: number;
		/** Voters that are up and caught up. */
		readonly sound: readonly string[];
		/** How many more voters may fail before writes stop. */
		readonly failureTolerance: number;
	};
	readonly nodes: readonly NodeReport[];
	readonly disagreements: readonly Disagreement[];
	readonly lock: LockStatus | null;
	/** Null when the cluster file names none. */
	readonly balancer: BalancerReport | null;
	/** Everything that is not as it should be, one sentence each; empty when healthy. */
	readonly problems: readonly string[];
	readonly healthy: boolean;
}

export interface NodeReport {
	readonly id: string;
	readonly reachable: boolean;
	/** Why there is no answer; empty when there is. */
	readonly fault: string;
	readonly member: "voter" | "outgoing" | "learner" | null;
	readonly role: NodeStatus["role"] | null;
	readonly term: number | null;
	readonly commit: number | null;
	readonly applied: number | null;
	/** Entries of the leader's commit index that it has yet to apply. */
	readonly lag: number | null;
	readonly release: string | null;
	readonly connections: NodeStatus["connections"] | null;
	readonly ready: boolean;
	readonly unready: readonly string[];
	readonly draining: boolean;
	/** The process is about to end; `draining` is true, too. */
	readonly stopping: boolean;
	readonly drainLeaseLeftMs: number;
	readonly safeToStop: { readonly safe: boolean; readonly reason: string };
	readonly uptimeMs: number | null;
	/** Of the certificates that it shows and believes, the first to end; null without TLS. */
	readonly certificatesExpireAtMs: number | null;
}

export interface BalancerReport {
	readonly kind: string;
	readonly reachable: boolean;
	readonly fault: string;
	readonly backends: readonly BackendStatus[];
}

/** Asks every node and the balancer at once: a dead one costs one call's timeout, whatever else is dead. */
export async function status(
	context: OperationContext,
	{ timeoutMs }: { readonly timeoutMs: number } = { timeoutMs: callTimeoutMs },
): Promise<StatusReport> {
	const { engine, inventory, signal } = context;
	const [facts, balancer, onHosts] = await Promise.all([
		gatherFacts(
			engine,
			{ clusterId: inventory.id, nodes: inventory.nodes },
			{ timeoutMs, signal },
		),
		balancerReport(context, timeoutMs),
		hostsUnfinished(context, timeoutMs),
	]);
	const heard = withStrangers(context, withLeadersWord(context, facts));
	const verdict = judgeQuorum(heard, healthLimits(context));
	const speaker = speakerOf(heard, verdict.leader);
	const setAtMs = await scheduledSince(context, speaker, timeoutMs);
	return statusReport(
		context,
		{ facts: heard, verdict, speaker },
		{ balancer, onHosts, setAtMs },
	);
}

/** What the nodes do not say themselves. */
interface Elsewhere {
	readonly balancer: BalancerReport | null;
	readonly onHosts: OperationView | null;
	/** When the schedule was set of which no snapshot has gone well yet. */
	readonly setAtMs: number | null;
}

interface Heard {
	readonly facts: ClusterFacts;
	readonly verdict: QuorumVerdict;
	readonly speaker: NodeStatus | null;
}

function statusReport(
	context: OperationContext,
	{ facts, verdict, speaker }: Heard,
	{ balancer, onHosts, setAtMs }: Elsewhere,
): StatusReport {
	const { inventory } = context;
	const nodes = facts.nodes.map((node) => nodeReport(context, facts, node));
	const disagreements = findDisagreements(facts);
	const kept = keptByCluster(context, facts, { speaker, onHosts, setAtMs });
	const problems = new Set([
		...quorumProblems(verdict),
		...nodes.flatMap((node) => nodeProblems(node, verdict)),
		...disagreements.map(
			({ about, views }) =>
				`the nodes disagree about the ${about}: ${views.map(({ node, says }) => `${node} says ${says}`).join(", ")}`,
		),
		...facts.nodes.flatMap(({ id, status: known }) =>
			certificateProblems(
				id,
				known?.certificates ?? null,
				context.clock.unixMs(),
			),
		),
		...keptProblems(kept),
		...balancerProblems(balancer),
	]);
	return {
		cluster: inventory.name,
		clusterId: inventory.id,
		leader: verdict.leader,
		term: verdict.term,
		quorum: {
			voters: verdict.voters,
			needed: verdict.quorum,
			sound: verdict.sound,
			failureTolerance: verdict.tolerance,
		},
		nodes,
		disagreements,
		...kept,
		lock: speaker?.lock ?? null,
		balancer,
		problems: [...problems],
		healthy: problems.size === 0,
	};
}

function nodeReport(
	context: OperationContext,
	facts: ClusterFacts,
	{ id }: Pick<NodeEntry, "id">,
): NodeReport {
	const known = statusOf(facts, id);
	const { safe, reason } = safeToStop(facts, id, healthLimits(context));
	const speaker = confirmedLeader(facts) ?? known;
	const member = speaker?.members.find((one) => one.id === id);
	return {
		id,
		reachable: known !== null,
		fault: facts.nodes.find((node) => node.id === id)?.fault ?? "",
		member: member?.role ?? null,
		role: known?.role ?? null,
		term: known?.term ?? null,
		commit: known?.commitIndex ?? null,
		applied: known?.appliedIndex ?? null,
		lag: lagOf(facts, id),
		release: known?.release ?? null,
		connections: known?.connections ?? null,
		ready: known?.ready ?? false,
		unready: known === null ? [] : unreadyReasons(known),
		draining: known?.drain.draining ?? false,
		stopping: known?.drain.stopping ?? false,
		drainLeaseLeftMs: known?.drain.leaseLeftMs ?? 0,
		safeToStop: { safe, reason },
		uptimeMs: known?.uptimeMs ?? null,
		certificatesExpireAtMs: firstExpiry(known?.certificates ?? null),
	};
}

function firstExpiry(certificates: CertificatesStatus | null): number | null {
	if (certificates === null) return null;
	const { leaf, clientLeaf, authorities } = certificates;
	const all = [leaf, clientLeaf, ...authorities];
	return Math.min(...all.map(({ expiresAtMs }) => expiresAtMs));
}

/** The leader knows best; without one, whoever answers. */
function speakerOf(
	facts: ClusterFacts,
	leader: string | null,
): NodeStatus | null {
	const byLeader = leader === null ? null : statusOf(facts, leader);
	if (byLeader !== null) return byLeader;
	const [first = null] = facts.nodes
		.flatMap(({ status: one }) => (one === null ? [] : [one]))
		.sort((one, other) => other.appliedIndex - one.appliedIndex);
	return first;
}

async function balancerReport(
	{ balancer, signal }: OperationContext,
	timeoutMs: number,
): Promise<BalancerReport | null> {
	if (balancer === null) return null;
	const { kind } = balancer;
	try {
		const backends = await lookAtBalancer(balancer, signal, timeoutMs);
		return { kind, reachable: true, fault: "", backends };
	} catch (error) {
		signal.throwIfAborted();
		return { kind, reachable: false, fault: reasonOf(error), backends: [] };
	}
}
