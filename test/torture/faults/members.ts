import { adminCall, statusOf } from "../admin.js";
import type { Cluster } from "../cluster.js";
import type { NodeProcess, Place } from "../node-process.js";
import type { Battlefield, Fault } from "./battlefield.js";

/** A voter becomes a learner for a while. */
export const membership: Fault = {
	name: "membership",
	strike: (field) =>
		field.withNode(field.anyNode, async ({ id, place }) => {
			const demoted = await change(field.cluster, [{ id, type: "demote" }]);
			if (demoted) await field.pause(0, 1500);
			await restore(field.cluster, place, field.over);
			return demoted;
		}),
};

/** A member loses its disk: it is removed, and a new one takes its place under another name (P31). */
export const wipe: Fault = {
	name: "wipe",
	strike: (field) =>
		field.withNode(field.anyNode, async (node) => {
			if (field.random.chance(0.5)) await node.kill();
			await change(field.cluster, [{ id: node.id, type: "remove" }]);
			await restore(field.cluster, node.place, field.over);
			return field.cluster.nodeAt(node.place) !== node;
		}),
};

/** A snapshot now, besides those that come by themselves. */
export const snapshot: Fault = {
	name: "snapshot",
	strike: (field) => takeSnapshot(field),
};

async function takeSnapshot({ cluster, random }: Battlefield) {
	const { place } = random.pick(cluster.nodes);
	return adminCall(place.admin, "TakeSnapshot").then(
		() => true,
		() => false,
	);
}

const pollMs = 100;

/**
 * Leads the member at `place` back to being a voter, step by step, by what the leader says of it; until `over`. True when
 * it is one. A node is wiped only once its removal is committed: before, its disk is needed.
 */
export async function restore(
	cluster: Cluster,
	place: Place,
	over: AbortSignal,
): Promise<boolean> {
	while (!over.aborted) {
		const leader = await cluster.leader();
		const status = leader === null ? null : await statusOf(leader.place.admin);
		const isFinal =
			status?.role === "leader" &&
			status.configurationIndex <= status.commitIndex;
		if (status !== null && isFinal) {
			const { id } = cluster.nodeAt(place);
			const role = status.members.find((member) => member.id === id)?.role;
			if (role === "voter") {
				// It may have been killed on the way.
				cluster.start(cluster.nodeAt(place));
				return true;
			}
			await step(cluster, place, role);
		}
		await new Promise((wake) => setTimeout(wake, pollMs));
	}
	return false;
}

async function step(
	cluster: Cluster,
	place: Place,
	role: string | undefined,
): Promise<void> {
	let node = cluster.nodeAt(place);
	if (role !== undefined) {
		cluster.start(node);
		await change(cluster, [{ id: node.id, type: "promote" }]);
		return;
	}
	if (!node.isNew) node = await cluster.replace(place);
	cluster.start(node);
	const self = await statusOf(place.admin);
	if (self?.nodeId === node.id) await add(cluster, node, self.incarnation);
}

async function add(
	cluster: Cluster,
	node: NodeProcess,
	incarnation: string,
): Promise<void> {
	const { peer, client, admin } = node.place;
	const added = await change(cluster, [
		{
			...{ id: node.id, type: "add", incarnation },
			...{ peerAddress: peer, clientAddress: client, adminAddress: admin },
		},
	]);
	if (added) node.isNew = false;
}

/** True when it is certainly done; when it is not known, whoever looks at the leader's configuration learns it. */
async function change(
	cluster: Cluster,
	changes: readonly object[],
): Promise<boolean> {
	const leader = await cluster.leader();
	if (leader === null) return false;
	return adminCall(leader.place.admin, "ChangeMembership", { changes }).then(
		() => true,
		() => false,
	);
}
