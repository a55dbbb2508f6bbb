import { isJoint, membersOf } from "../../src/raft/configurations.js";
import { describeNodes } from "./describe.js";
import type { SimNode } from "./node.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

/** How many election timeouts a healthy cluster may take to come to rest. Split votes need a few; this is many. */
export const restTimeouts = 60;

/** Whoever leads, by the newest term. */
export function leaderOf(world: World): SimNode | undefined {
	let leader: SimNode | undefined;
	for (const node of world.nodes) {
		if (node.raft === null || node.seen?.role !== "leader") continue;
		if (leader === undefined || node.seen.term > (leader.seen?.term ?? 0))
			leader = node;
	}
	return leader;
}

/** The living members of the configuration that the leader goes by. */
export function membersBy(world: World, leader: SimNode): SimNode[] {
	const { configuration } = leader.handed.configuration;
	return membersOf(configuration)
		.filter((id) => !world.strangers.isBuried(id))
		.map((id) => world.byId.get(id) as SimNode);
}

/** One leader whom all members follow, a final configuration, and equal logs, applied to the end. */
export function isAtRest(world: World): boolean {
	const leader = leaderOf(world);
	const status = leader?.raft?.status();
	if (leader === undefined || status === undefined) return false;
	if (status.transferTarget !== null) return false;
	if (isJoint(status.configuration)) return false;
	return membersBy(world, leader).every((node) => {
		const { raft, machine, disk } = node;
		if (isUncounted(world, node)) return true;
		if (raft === null || raft.hasReady() || disk.underWay > 0) return false;
		const own = raft.status();
		return (
			own.term === status.term &&
			own.leader === status.id &&
			(own.role === "leader") === (own.id === status.id) &&
			own.lastIndex === status.lastIndex &&
			machine.applied === status.lastIndex
		);
	});
}

/** One whose log went back gets nothing any more. */
export function isUncounted(world: World, node: SimNode): boolean {
	return node.rolledBack && world.operator.alarms.has(node.id);
}

/** Runs until `holds`, at most as long as a healthy cluster may take. */
export function expectSoon(
	world: World,
	holds: () => boolean,
	otherwise: () => string,
): void {
	const limitMs =
		restTimeouts * world.options.electionTimeoutMs + catchUpMs(world);
	demand(
		world.runUntil(holds, lookMs(world), limitMs),
		"liveness",
		() => `${otherwise()}: ${describeNodes(world).join("; ")}`,
	);
}

export function comeToRest(world: World): void {
	expectSoon(
		world,
		() => isAtRest(world),
		() => "the healed cluster does not come to rest",
	);
}

/** How often to look: not in step with the heartbeats, or a cluster would always be seen at work. */
export function lookMs({ options }: World): number {
	return options.heartbeatIntervalMs * 0.37;
}

/** What the slowest follower may need to fetch everything, one entry a message, or a snapshot again and again. */
function catchUpMs(world: World): number {
	const { network, disk, driver, snapshots, tickMs } = world.options;
	const perEntryMs =
		2 * network.baseMs +
		2 * disk.baseMs +
		4 * driver.fetchMs +
		4 * driver.turnMs +
		driver.applyMs +
		tickMs;
	const perSnapshotMs =
		snapshots.chunks * snapshots.chunkMs +
		2 * snapshots.saveMs +
		snapshots.restoreMs;
	const longest = world.nodes.reduce(
		(most, node) => Math.max(most, node.log.length),
		0,
	);
	return longest * perEntryMs * 4 + perSnapshotMs * 40;
}
