import type { World } from "./world.js";

/** Where each node stands, in a line each. */
export function describeNodes(world: World): string[] {
	return world.nodes.map(({ id, raft, seen, machine, disk, backlog }) => {
		const onDisk = `disk term ${disk.term} vote ${disk.votedFor} last ${disk.entries.length} commit ${disk.commit} under way ${disk.underWay}`;
		if (raft === null || seen === null) return `${id} down; ${onDisk}`;
		const paused = backlog === null ? "" : " paused";
		const followers = seen.followers
			.map((one) => ` ${one.id}:${one.state} ${one.match}/${one.next}`)
			.join("");
		return `${id}${paused} ${seen.role} term ${seen.term} leader ${seen.leader} commit ${seen.commit} applied ${machine.applied} durable ${seen.durableIndex} last ${seen.lastIndex}; ${onDisk}${followers}`;
	});
}
