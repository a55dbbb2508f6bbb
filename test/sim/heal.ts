import { isJoint } from "../../src/raft/configurations.js";
import { majority as majorityOf } from "../../src/raft/quorum.js";
import { describeNodes } from "./describe.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import { repair } from "./repair.js";
import { comeToRest, expectSoon, restTimeouts } from "./rest.js";
import { rollBack } from "./roll-back.js";
import { serveEverywhere, stayAtRest } from "./serve.js";
import { latestSends } from "./session-clients.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

/** For how many election timeouts nothing may change hands. */
const stableTimeouts = 5;

/**
 * After the storm: the faults end and the cluster must come to rest, be whole again, serve, and stay at rest. In half of
 * the seeds first only a majority is healed, whatever the others go on doing (P35).
 */
export function heal(world: World): void {
	const random = new Random(world.options.seed, 5);
	world.faulty = false;
	world.network.calm();
	const voters = agreedVoters(world);
	if (voters.length >= 3 && random.chance(0.5)) {
		const majority = random
			.shuffle(voters.filter(({ id }) => !world.strangers.isDead(id)))
			.slice(0, majorityOf(voters.length));
		healNodes(world, majority);
		cutOff(world, majority, random);
		letArrive(world, world.options.network.slowMs);
		serveAmid(world, majority);
		leadOn(world, majority);
		world.coverage.majorityHeals++;
	}
	healNodes(world, [...world.nodes]);
	const { network, workload } = world.options;
	// What was on its way comes to an end.
	letArrive(world, Math.max(network.slowMs, latestSends * workload.sessionMs));
	comeToRest(world);
	repair(world);
	if (world.options.rollBack) rollBack(world, random);
	serveEverywhere(world);
	stayAtRest(world, stableTimeouts);
	world.coverage.fullHeals++;
}

/** One configuration can be in force, and all of it at once. */
function isAgreed({ oracles }: World): boolean {
	const [only, ...others] = oracles.memberships.possible;
	return only !== undefined && others.length === 0 && !isJoint(only);
}

/** The voters, where nobody can be of another opinion; else nobody. */
function agreedVoters(world: World): SimNode[] {
	const [only] = world.oracles.memberships.possible;
	if (only === undefined || !isAgreed(world)) return [];
	const knows = (node: SimNode) =>
		node.handed.configuration.index ===
		world.oracles.memberships.committed.index;
	const voters = only.voters.map((id) => world.byId.get(id) as SimNode);
	const living = voters.filter(({ id }) => !world.strangers.isDead(id));
	return living.every(knows) ? voters : [];
}

function healNodes(world: World, nodes: readonly SimNode[]): void {
	for (const node of nodes) {
		node.disk.heal(world.nowMs);
		node.clock.set(1, 0);
		for (const other of nodes)
			if (other !== node) world.network.join(node, other);
		// Whoever cannot start again is found out now, and replaced like the other dead.
		if (node.raft !== null && world.strangers.isDead(node.id)) node.crash();
		if (node.raft === null) world.faults.restart(node);
		else {
			world.resume(node);
			if (node.raft !== null) node.driver.diskEvent();
		}
	}
}

/** Those outside the majority keep some links, in one direction or both: the shapes that livelock a careless Raft. */
function cutOff(
	world: World,
	majority: readonly SimNode[],
	random: Random,
): void {
	for (const outside of [...world.nodes]) {
		if (majority.includes(outside)) continue;
		if (outside.raft === null && random.chance(0.7))
			world.faults.restart(outside);
		for (const inside of majority) {
			if (random.chance(0.4)) world.network.cut(outside, inside);
			if (random.chance(0.4)) world.network.cut(inside, outside);
		}
	}
}

/** A leader that is asked late to give way does so: only then is its successor's term the one that must last. */
function letArrive(world: World, leastMs: number): void {
	const leftMs = world.network.latestArrivalMs - world.nowMs;
	world.runFor(Math.max(leastMs, leftMs));
}

/** A majority that hears each other serves writes. */
function serveAmid(world: World, majority: readonly SimNode[]): void {
	const before = world.oracles.committed.last;
	const names = () => majority.map(({ id }) => id).join(", ");
	expectSoon(
		world,
		() => {
			for (const node of world.nodes) {
				const { raft, backlog, seen } = node;
				if (raft === null || backlog !== null || seen?.role !== "leader")
					continue;
				if (world.workload.propose(node) !== null) node.settle();
			}
			// A change that somebody had asked for before may need others than these from now on.
			if (!isAgreed(world)) return true;
			return world.oracles.committed.last > before + 1;
		},
		() => `${names()} hear each other and commit nothing`,
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
		terms() === before || !isAgreed(world),
		"stable-term",
		() =>
			`term ${before} of a majority that hears each other did not last: ${describeNodes(world).join("; ")}`,
	);
}
