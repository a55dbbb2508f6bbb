import { describeNodes } from "./describe.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

/** How many election timeouts a healthy cluster may take to come to rest. Split votes need a few; this is many. */
const restTimeouts = 60;
const stableTimeouts = 5;

/**
 * After the storm: the faults end and the cluster must come to rest, serve, and stay at rest. In half of the seeds
 * first only a majority is healed, whatever the others go on doing (P35).
 */
export function heal(world: World): void {
	const random = new Random(world.options.seed, 5);
	world.faulty = false;
	world.network.calm();
	const { voters } = world.options;
	if (voters >= 3 && random.chance(0.5)) {
		const majority = random
			.shuffle(world.nodes.slice(0, voters))
			.slice(0, Math.floor(voters / 2) + 1);
		healNodes(world, majority);
		cutOff(world, majority, random);
		world.runFor(world.options.network.slowMs);
		serveAmid(world, majority);
		leadOn(world, majority);
		world.coverage.majorityHeals++;
	}
	healNodes(world, world.nodes);
	world.runFor(world.options.network.slowMs);
	comeToRest(world);
	serveEverywhere(world);
	stayAtRest(world);
	world.coverage.fullHeals++;
}

function healNodes(world: World, nodes: readonly SimNode[]): void {
	for (const node of nodes) {
		node.disk.heal(world.nowMs);
		node.clock.set(1, 0);
		for (const other of nodes)
			if (other !== node) world.network.join(node, other);
		if (node.raft === null) world.faults.restart(node);
		else {
			world.resume(node);
			node.diskEvent();
		}
	}
}

/** Those outside the majority keep some links, in one direction or both: the shapes that livelock a careless Raft. */
function cutOff(
	world: World,
	majority: readonly SimNode[],
	random: Random,
): void {
	for (const outside of world.nodes) {
		if (majority.includes(outside)) continue;
		if (outside.raft === null && random.chance(0.7))
			world.faults.restart(outside);
		for (const inside of majority) {
			if (random.chance(0.4)) world.network.cut(outside, inside);
			if (random.chance(0.4)) world.network.cut(inside, outside);
		}
	}
}

/** A majority that hears each other serves writes. */
function serveAmid(world: World, majority: readonly SimNode[]): void {
	const before = world.oracles.committed.last;
	const { electionTimeoutMs } = world.options;
	const done = world.runUntil(
		() => {
			for (const node of world.nodes) {
				if (
					node.raft === null ||
					node.backlog !== null ||
					node.seen?.role !== "leader"
				)
					continue;
				if (world.workload.propose(node) !== null) node.settle();
			}
			return world.oracles.committed.last > before + 1;
		},
		lookMs(world),
		restTimeouts * electionTimeoutMs + catchUpMs(world),
	);
	demand(
		done,
		"liveness",
		() =>
			`${majority.map((node) => node.id).join(", ")} hear each other and commit nothing`,
	);
}

/** Whoever serves the majority goes on to, however the others knock (P35). */
function leadOn(world: World, majority: readonly SimNode[]): void {
	const { electionTimeoutMs } = world.options;
	const terms = () => Math.max(...majority.map((node) => node.seen?.term ?? 0));
	world.runFor(restTimeouts * electionTimeoutMs);
	const before = terms();
	world.runFor(stableTimeouts * electionTimeoutMs);
	demand(
		terms() === before,
		"stable-term",
		() =>
			`term ${before} of a majority that hears each other did not last: ${describeNodes(world).join("; ")}`,
	);
}

/** One leader whom all follow, and equal logs, applied to the end. */
function comeToRest(world: World): void {
	const { electionTimeoutMs } = world.options;
	const done = world.runUntil(
		() => isAtRest(world),
		lookMs(world),
		restTimeouts * electionTimeoutMs + catchUpMs(world),
	);
	demand(
		done,
		"liveness",
		() =>
			`the healed cluster does not come to rest: ${describeNodes(world).join("; ")}`,
	);
}

function isAtRest(world: World): boolean {
	const leader = leaderOf(world)?.raft?.status();
	if (leader === undefined || leader.transferTarget !== null) return false;
	return world.nodes.every(({ raft, machine, disk }) => {
		if (raft === null || raft.hasReady() || disk.underWay > 0) return false;
		const status = raft.status();
		return (
			status.term === leader.term &&
			status.leader === leader.id &&
			(status.role === "leader") === (status.id === leader.id) &&
			status.lastIndex === leader.lastIndex &&
			machine.applied === leader.lastIndex
		);
	});
}

/** A fresh write reaches every machine, and every node answers a fresh read. */
function serveEverywhere(world: World): void {
	const { electionTimeoutMs } = world.options;
	const leader = leaderOf(world) as SimNode;
	demand(
		world.workload.propose(leader) !== null,
		"liveness",
		() => `${leader.id} leads a healthy cluster and refuses a write`,
	);
	leader.settle();
	const last = leader.log.length + 1;
	const served = world.workload.reads.served;
	for (const node of world.nodes) {
		world.workload.reads.read(node);
		node.settle();
	}
	const done = world.runUntil(
		() =>
			isAtRest(world) &&
			leader.log.length >= last - 1 &&
			world.workload.reads.served >= served + world.nodes.length,
		lookMs(world),
		restTimeouts * electionTimeoutMs + catchUpMs(world),
	);
	demand(
		done,
		"liveness",
		() =>
			`a fresh write or read is not served: ${describeNodes(world).join("; ")}`,
	);
	for (const { id, machine } of world.nodes)
		demand(
			machine.hash === leader.machine.hash,
			"equal-logs",
			() => `${id} and ${leader.id} ended in different states`,
		);
	for (const index of world.workload.history.acknowledged)
		demand(
			index <= leader.machine.applied,
			"acknowledged-lost",
			() =>
				`index ${index} was acknowledged; all logs end at ${leader.machine.applied}`,
		);
}

/** Nothing changes hands without a reason, and nobody is owed an answer. */
function stayAtRest(world: World): void {
	const { electionTimeoutMs, outcomeTimeoutMs, transferTimeoutMs } =
		world.options;
	const leader = leaderOf(world) as SimNode;
	const term = leader.seen?.term;
	world.runFor(
		stableTimeouts * electionTimeoutMs + outcomeTimeoutMs + transferTimeoutMs,
	);
	for (const node of world.nodes) {
		demand(
			node.seen?.term === term && node.seen?.leader === leader.id,
			"stable-term",
			() =>
				`term ${term} of ${leader.id} did not last: ${describeNodes(world).join("; ")}`,
		);
		const pending = world.workload.pending(node);
		demand(
			pending === 0,
			"one-outcome",
			() => `${node.id} still owes ${pending} answers`,
		);
	}
}

function leaderOf(world: World): SimNode | undefined {
	return world.nodes.find((node) => node.seen?.role === "leader");
}

/** How often to look: not in step with the heartbeats, or a cluster would always be seen at work. */
function lookMs({ options }: World): number {
	return options.heartbeatIntervalMs * 0.37;
}

/** What the slowest follower may need to fetch everything, one entry a message. */
function catchUpMs(world: World): number {
	const { network, disk, driver, tickMs } = world.options;
	const perEntryMs =
		2 * network.baseMs +
		2 * disk.baseMs +
		4 * driver.fetchMs +
		4 * driver.turnMs +
		driver.applyMs +
		tickMs;
	return (
		world.nodes.reduce((most, node) => Math.max(most, node.log.length), 0) *
		perEntryMs *
		4
	);
}
