import type { MemberStatus, NodeStatus } from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	commandFor,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import { isTimeout, waitUntil } from "../wait.js";
import { isJoint } from "./members.js";

/** The cluster as it is now, by the word of a leader that a quorum follows. */
export interface View {
	/** Its cluster file has every node that matters here: of the file, of the operation, and every member. */
	readonly context: OperationContext;
	readonly facts: ClusterFacts;
	readonly leader: NodeStatus;
}

/** An election, or a change that was just asked for, is over by then. */
const viewTimeoutMs = 8_000;

/**
 * Asks everybody: the nodes of the file, those that this operation is about (they may not be in the file yet, or any
 * more), and members that the file does not know. Waits while a leader or a change is being settled. Throws OperatorError
 * "refused" when there is none.
 */
export async function viewOf(
	context: OperationContext,
	nodes: readonly NodeEntry[],
	signal: AbortSignal,
): Promise<View> {
	let view: View | undefined;
	let missing = "";
	await waitUntil(context, {
		...{ name: "a leader", node: null, timeoutMs: viewTimeoutMs, signal },
		probe: async () => {
			const looked = await look(context, nodes, signal);
			const leader = confirmedLeader(looked.facts);
			missing = missingIn(looked.facts, leader);
			if (leader === null || missing !== "") return missing;
			view = { ...looked, leader };
			return null;
		},
	}).catch((error: unknown) => {
		if (!isTimeout(error)) throw error;
	});
	if (view !== undefined) return view;
	throw new OperatorError("refused", missing, {
		state: "nothing was touched",
		next: commandFor(context, "status"),
	});
}

async function look(
	context: OperationContext,
	nodes: readonly NodeEntry[],
	signal: AbortSignal,
): Promise<Pick<View, "context" | "facts">> {
	const known = withNodes(context, nodes);
	const facts = await lookAtCluster(known, signal);
	const strangers = newestMembers(facts).filter(
		({ id }) => !known.inventory.nodes.some((node) => node.id === id),
	);
	if (strangers.length === 0) return { context: known, facts };
	const wide = withNodes(known, strangers.map(standIn));
	return { context: wide, facts: await lookAtCluster(wide, signal) };
}

/** The context with these nodes in its cluster file; what is said here of a node overrules the file. */
export function withNodes(
	context: OperationContext,
	nodes: readonly NodeEntry[],
): OperationContext {
	const { inventory } = context;
	const given = new Map(nodes.map((node) => [node.id, node]));
	const kept = inventory.nodes.map((node) => given.get(node.id) ?? node);
	const added = nodes.filter(
		({ id }) => !inventory.nodes.some((node) => node.id === id),
	);
	return {
		...context,
		inventory: { ...inventory, nodes: [...kept, ...added] },
	};
}

export function entryIn({ context }: View, id: string): NodeEntry {
	const node = context.inventory.nodes.find((one) => one.id === id);
	if (node !== undefined) return node;
	throw new OperatorError("unexpected", `nothing is known of ${id}`);
}

/** A member that the file does not have can be asked, and no more: nobody knows where it runs. */
export function standIn(member: MemberStatus): NodeEntry {
	const { id, peer, client, admin } = member;
	return {
		...{ id, peer, client, admin, host: "", agent: null, dataDirectory: "" },
		role: member.role === "learner" ? "learner" : "voter",
	};
}

/** Whether its process can be started and stopped from here. */
export function isManaged({ host }: NodeEntry): boolean {
	return host !== "";
}

/** By whoever answers; empty when nobody does who knows them. */
export function newestMembers({
	nodes,
}: ClusterFacts): readonly MemberStatus[] {
	const [newest] = nodes
		.flatMap(({ status }) => (status === null ? [] : [status]))
		.sort((a, b) => b.configurationIndex - a.configurationIndex);
	return newest?.members ?? [];
}

function missingIn({ nodes }: ClusterFacts, leader: NodeStatus | null): string {
	if (leader === null) {
		const silent = nodes
			.filter(({ status }) => status === null)
			.map(({ id, fault }) => `${id} ${fault}`);
		return ["no leader that a quorum confirms", ...silent].join("; ");
	}
	return isJoint(leader.members)
		? "another change of members is under way"
		: "";
}
