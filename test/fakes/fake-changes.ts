import { ChangeRefusedError } from "../../src/cluster/change-refused.js";
import type {
	MembershipChange,
	MembershipRequest,
} from "../../src/cluster/engine.js";
import type { FakeCluster } from "./fake-cluster.js";

/** A change of members by the rules of the core that an operator meets; returns the new configuration's index. */
export function changeMembers(
	cluster: FakeCluster,
	{ changes, expectedIndex, waived }: MembershipRequest,
): number {
	const refuse = (reason: string, node: string | null = null): never => {
		const known = node === null ? undefined : cluster.nodes.get(node);
		const catchUp = known === undefined ? null : cluster.catchUpOf(known);
		throw new ChangeRefusedError(`${reason} (${node})`, {
			...{ reason, node, catchUp },
		});
	};
	if (expectedIndex !== 0 && expectedIndex !== cluster.configurationIndex)
		refuse("configuration-changed");
	for (const change of changes) {
		const reason = refusalOf(cluster, change, waived);
		if (reason !== null) refuse(reason, change.id);
	}
	const voters = votersAfter(cluster, changes);
	if (voters.length === 0) refuse("no-voters");
	const up = voters.filter((id) => cluster.nodes.get(id)?.running);
	if (!waived.includes("quorum") && up.length * 2 <= voters.length)
		refuse("quorum-at-risk");
	for (const change of changes) carryOut(cluster, change);
	cluster.changes.push(
		changes.map(({ type, id }) => `${type} ${id}`).join(", "),
	);
	cluster.configurationIndex = cluster.commit();
	cluster.advance();
	return cluster.configurationIndex;
}

function refusalOf(
	cluster: FakeCluster,
	change: MembershipChange,
	waived: MembershipRequest["waived"],
): string | null {
	const node = cluster.nodes.get(change.id);
	const role = node?.role ?? null;
	if (change.type === "add") return role === null ? null : "duplicate-member";
	if (node === undefined || role === null) return "unknown-member";
	if (change.type === "demote") return role === "voter" ? null : "not-a-voter";
	if (change.type === "remove" || change.type === "update") return null;
	if (role !== "learner") return "not-a-learner";
	if (waived.includes("catch-up")) return null;
	if (!node.running) return "target-unreachable";
	return cluster.behindNow(node) > 0 ? "target-lagging" : null;
}

function votersAfter(
	cluster: FakeCluster,
	changes: readonly MembershipChange[],
): readonly string[] {
	const voters = new Set(cluster.voters().map(({ id }) => id));
	for (const { type, id } of changes)
		if (type === "promote") voters.add(id);
		else if (type === "demote" || type === "remove") voters.delete(id);
	return [...voters];
}

function carryOut(cluster: FakeCluster, change: MembershipChange): void {
	const { type, id } = change;
	const node = cluster.node(id);
	if (change.type === "add" || change.type === "update") {
		const { peer, client, admin } = change;
		node.addresses = { peer, client, admin };
	}
	if (type === "update") return;
	if (type === "remove") node.role = null;
	else node.role = type === "promote" ? "voter" : "learner";
}
