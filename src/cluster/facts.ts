import { reasonOf } from "../errors.js";
import type { CallOptions, Engine, NodeRef, NodeStatus } from "./engine.js";

/** What was observed, all at about the same time. What follows from it is health.ts. */
export interface ClusterFacts {
	/** In the order of the cluster file. */
	readonly nodes: readonly NodeFacts[];
}

interface NodeFacts {
	readonly id: string;
	/** Null when it did not answer, or when what answered is not this node. */
	readonly status: NodeStatus | null;
	/** Why there is no status; empty when there is. */
	readonly fault: string;
}

export interface Expectation {
	readonly clusterId: string;
	readonly nodes: readonly NodeRef[];
}

/** Asks every node at once, so that any number of dead ones cost one timeout. Throws only when aborted. */
export async function gatherFacts(
	engine: Engine,
	expected: Expectation,
	options: CallOptions,
): Promise<ClusterFacts> {
	const nodes = await Promise.all(
		expected.nodes.map(async (node): Promise<NodeFacts> => {
			try {
				const status = await engine.status(node, options);
				const fault = strangerFault(node, status, expected.clusterId);
				return fault === ""
					? { id: node.id, status, fault }
					: { id: node.id, status: null, fault };
			} catch (error) {
				options.signal?.throwIfAborted();
				return { id: node.id, status: null, fault: faultOf(node, error) };
			}
		}),
	);
	return { nodes };
}

export function statusOf(facts: ClusterFacts, id: string): NodeStatus | null {
	return facts.nodes.find((node) => node.id === id)?.status ?? null;
}

/** An address that another node, or another cluster, took over must never vouch for this one. */
function strangerFault(
	node: NodeRef,
	status: NodeStatus,
	clusterId: string,
): string {
	if (status.clusterId !== clusterId)
		return `${node.admin} belongs to another cluster (${status.clusterId || "no id"})`;
	if (status.nodeId !== node.id)
		return `${node.admin} answers as ${status.nodeId || "no node"}`;
	return "";
}

/** As a predicate, for "n1 <fault>": the error's sentence without the name that leads it. */
function faultOf(node: NodeRef, error: unknown): string {
	const reason = reasonOf(error);
	return reason.startsWith(`${node.id} `)
		? reason.slice(node.id.length + 1)
		: `could not be asked: ${reason}`;
}
