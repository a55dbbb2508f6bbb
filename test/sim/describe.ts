import type { Configuration } from "../../src/raft/types.js";
import type { SimNode } from "./node.js";
import type { World } from "./world.js";

/** Where each node stands, in a line each. */
export function describeNodes(world: World): string[] {
	return world.nodes.map((node) => {
		const { id, raft, seen, machine, backlog, handed } = node;
		if (raft === null || seen === null)
			return `${id} down; ${describeDisk(node)}`;
		const paused = backlog === null ? "" : " paused";
		const followers = seen.followers
			.map((one) => ` ${one.id}:${one.state} ${one.match}/${one.next}`)
			.join("");
		const { index, configuration } = handed.configuration;
		return `${id}${paused} ${seen.role} term ${seen.term} leader ${seen.leader} commit ${seen.commit} applied ${machine.applied} durable ${seen.durableIndex} log ${seen.firstIndex} to ${seen.lastIndex}; goes by ${index}: ${describeConfiguration(world, configuration)}; ${describeDisk(node)}${followers}`;
	});
}

function describeDisk({ disk }: SimNode): string {
	return `disk term ${disk.term} vote ${disk.votedFor} log ${disk.base + 1} to ${disk.entries.length} commit ${disk.commit} snapshot ${disk.snapshotIndex} under way ${disk.underWay}`;
}

/** The dead with a cross. */
function describeConfiguration(
	world: World,
	{ voters, outgoing, learners }: Configuration,
): string {
	const names = (ids: readonly string[]) =>
		ids.map((id) => (world.strangers.isDead(id) ? `${id}†` : id)).join(" ");
	const joint = outgoing.length === 0 ? "" : `, before ${names(outgoing)}`;
	const learn = learners.length === 0 ? "" : `, learners ${names(learners)}`;
	return names(voters) + joint + learn;
}
