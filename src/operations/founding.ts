import { join } from "node:path";
import type { MemberStatus } from "../cluster/engine.js";
import type { ClusterFacts } from "../cluster/facts.js";
import { confirmedLeader } from "../cluster/health.js";
import type { NodeEntry } from "../config/inventory.js";
import { OperatorError } from "../errors.js";
import { commandFor, lookAtCluster, type OperationContext } from "./context.js";
import { onceUp } from "./founded-mark.js";

/** Made with a node's data directory, before anything else in it. */
const identityFile = "identity.json";

/** Which nodes of the file may be started, and how. */
export interface Founding {
	/** Those that have data, and those that found the cluster, or finish founding it. */
	readonly starts: readonly NodeEntry[];
	/** Of these, the ones without data. */
	readonly founders: readonly NodeEntry[];
	/** Without data, while nobody runs who could tell whether they are founders: asked once somebody does. */
	readonly undecided: readonly NodeEntry[];
	/** No members of the cluster that there is: they are added by somebody's wish only. */
	readonly strangers: readonly NodeEntry[];
}

/** What is to be known of one node before it may be started. */
interface Candidate {
	readonly node: NodeEntry;
	readonly hasData: boolean;
}

/**
 * A node without data founds the cluster of its file. That is right once. Beside nodes that have data, it would found a
 * second cluster under the same name, and with enough like it elect a leader that knows nothing of what was acknowledged
 * (P31). Nor is it right where all data is gone of a cluster that was up once: its disks may only not be mounted. Throws
 * OperatorError "refused" for members whose data is gone.
 */
export async function judgeFounding(
	context: OperationContext,
): Promise<Founding> {
	const candidates = await Promise.all(
		context.inventory.nodes.map(async (node) => ({
			node,
			hasData: await dataOf(context, node),
		})),
	);
	const some = (has: boolean) =>
		candidates.filter(({ hasData }) => hasData === has).map(({ node }) => node);
	if (some(true).length === 0) {
		const lost = await onceUp(context);
		// Whoever runs has its data, whatever can be seen of that from here.
		if (lost.length > 0 && !(await someoneKnowsMembers(context)))
			throw allGone(context, lost);
		return {
			...{ starts: some(false), founders: some(false) },
			...{ undecided: [], strangers: [] },
		};
	}
	const facts = await lookAtCluster(context, context.signal);
	const members = membersBy(facts);
	if (members === null)
		return {
			...{ starts: some(true), founders: [] },
			...{ undecided: some(false), strangers: [] },
		};
	const lost = candidates.filter((one) => isLost(one, members));
	if (lost.length > 0)
		throw refusal(
			context,
			lost.map(({ node }) => node),
		);
	// What has data is kept back by a quorum's word only: whoever else answers may have slept through its addition.
	const isStranger = ({ node, hasData }: Candidate) =>
		!members.some(({ id }) => id === node.id) &&
		!(hasData && confirmedLeader(facts) === null);
	const starts = candidates.filter((one) => !isStranger(one));
	return {
		starts: starts.map(({ node }) => node),
		founders: starts.filter((one) => !one.hasData).map(({ node }) => node),
		undecided: [],
		strangers: candidates.filter(isStranger).map(({ node }) => node),
	};
}

/**
 * The same once nodes run that can tell. Founders that nobody has met may be finished founding with, but not so many that
 * they could elect a leader without whoever has data: nobody can tell these from members who lost their disks.
 */
export async function judgeUndecided(
	context: OperationContext,
	undecided: readonly NodeEntry[],
): Promise<Founding> {
	const founding = await judgeFounding(context);
	const founders = founding.founders.filter((node) =>
		undecided.some(({ id }) => id === node.id),
	);
	const voters = founding.starts.filter(isVoter).length;
	if (founders.filter(isVoter).length * 2 > voters)
		throw refusal(context, founders);
	return founding;
}

/** Whether anybody runs who knows the members. */
export async function someoneKnowsMembers(
	context: OperationContext,
	signal: AbortSignal = context.signal,
): Promise<boolean> {
	return membersBy(await lookAtCluster(context, signal)) !== null;
}

async function dataOf(
	{ machines }: OperationContext,
	{ host, dataDirectory }: NodeEntry,
): Promise<boolean> {
	const machine = await machines.host(host);
	return (await machine.read(join(dataDirectory, identityFile))) !== null;
}

/** As a quorum has it, or else the newest configuration that a running node knows; null when none runs that knows any. */
function membersBy(facts: ClusterFacts): readonly MemberStatus[] | null {
	const leader = confirmedLeader(facts);
	if (leader !== null) return leader.members;
	const [newest] = facts.nodes
		.flatMap(({ status }) => (status === null ? [] : [status]))
		// One that waits to be added knows nothing yet.
		.filter(({ members }) => members.length > 0)
		.sort((a, b) => b.configurationIndex - a.configurationIndex);
	return newest?.members ?? null;
}

/** A founder that nobody has met yet may still come late. */
function isLost(
	{ node, hasData }: Candidate,
	members: readonly MemberStatus[],
): boolean {
	const member = members.find(({ id }) => id === node.id);
	return !hasData && member !== undefined && member.incarnation !== "";
}

function isVoter({ role }: NodeEntry): boolean {
	return role === "voter";
}

function allGone(
	context: OperationContext,
	lost: readonly NodeEntry[],
): OperatorError {
	const command = (words: string) => commandFor(context, words);
	const { name, nodes } = context.inventory;
	const isDeployed = nodes.some(({ host }) => host !== "local");
	return new OperatorError(
		"refused",
		`${name} was up before, and no node has its data: started now, they would found an empty cluster in its place`,
		{
			problems: lost.map(
				({ id, dataDirectory }) =>
					`${id} was up in this cluster, and ${dataDirectory} has no data of a node: is its disk mounted?`,
			),
			state: "nothing was started",
			next: `put the disks back, then ${command("up")}; from a snapshot: ${command("snapshot restore FILE")}; to begin anew, empty: ${command("destroy")}, then ${command(isDeployed ? "deploy" : "up")}`,
		},
	);
}

function refusal(
	context: OperationContext,
	lost: readonly NodeEntry[],
): OperatorError {
	const ids = lost.map(({ id }) => id);
	return new OperatorError(
		"refused",
		"starting members without data beside nodes that have some would found a second cluster under the same name",
		{
			problems: ids.map(
				(id) => `${id} is a member, and its data directory is gone or empty`,
			),
			state: "none of them was started",
			next: `put their disks back; or, while the others are a quorum, ${commandFor(context, `reset-node ${ids[0]}`)}; if they are none, ${commandFor(context, "recover")}`,
		},
	);
}
