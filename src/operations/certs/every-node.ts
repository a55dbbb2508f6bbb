import type { CertificatesStatus } from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import { OperatorError } from "../../errors.js";
import {
	commandFor,
	lookAtCluster,
	type OperationContext,
} from "../context.js";

/** Before anything is made: a rotation waits for every node, and one that is down would hold it up half-way. */
export async function requireAllToAnswer(
	context: OperationContext,
): Promise<void> {
	const facts = await lookAtCluster(context, context.signal);
	const problems = nodeFaults(facts, () => null);
	if (problems.length === 0) return;
	throw new OperatorError(
		"refused",
		"not every node answers and speaks TLS, so the authority cannot be replaced now",
		{
			problems,
			state: "nothing was touched",
			next: `start what is down (${commandFor(context, "up")}), or look at ${commandFor(context, "certs status")}`,
		},
	);
}

/** Of every member and every node of the cluster file. */
export function nodeFaults(
	facts: ClusterFacts,
	fault: (id: string, used: CertificatesStatus) => string | null,
): readonly string[] {
	const members = confirmedLeader(facts)?.members.map(({ id }) => id) ?? [];
	const ids = new Set([...members, ...facts.nodes.map(({ id }) => id)]);
	return [...ids].flatMap((id) => {
		const found = facts.nodes.find((node) => node.id === id);
		if (found === undefined) return [`${id} is not in the cluster file`];
		const used = found.status?.certificates ?? null;
		if (used === null)
			return [`${id} ${found.status === null ? found.fault : "speaks no TLS"}`];
		return fault(id, used) ?? [];
	});
}
