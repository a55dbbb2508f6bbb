import { membersOf } from "../../src/raft/configurations.js";
import { Fate } from "./history.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import { admit, changeMembers } from "./repair.js";
import { comeToRest, expectSoon, leaderOf, lookMs, membersBy } from "./rest.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

/** How many writes the disk forgets, at least. */
const forgottenWrites = 3;

/**
 * A follower's disk goes back to what it held before, as that of a restored image does. Nothing can be promised of what
 * it forgets; but its leader notices, says so, and does not count on it any more, nor does anybody who knows (P31).
 */
export function rollBack(world: World, random: Random): void {
	const leader = leaderOf(world) as SimNode;
	const voters = membersBy(world, leader).filter((node) =>
		leader.handed.configuration.configuration.voters.includes(node.id),
	);
	if (voters.length < 3) return;
	const node = random.pick(voters.filter((one) => one !== leader));
	const image = node.disk.image();
	const had = node.disk.last;
	write(world, leader, had + forgottenWrites);
	node.crash();
	node.disk.rollBack(image);
	node.rolledBack = true;
	world.coverage.rolledBackNodes++;
	world.faults.restart(node);
	expectSoon(
		world,
		() => {
			proposeAt(world, leader);
			return world.operator.alarms.has(node.id);
		},
		() => `nobody notices that the log of ${node.id} went back to ${had}`,
	);
	tellAll(world, leader, node);
	withoutIt(world, leader, node, voters);
	changeMembers(world, [{ type: "remove", id: node.id }]);
	world.strangers.die(node);
	const substitute = world.strangers.join();
	if (substitute !== null) admit(world, substitute);
	comeToRest(world);
}

function proposeAt(world: World, leader: SimNode): void {
	if (leader.seen?.role !== "leader") return;
	world.workload.propose(leader);
	leader.settle();
}

/** Writes until every node has so much. */
function write(world: World, leader: SimNode, index: number): void {
	expectSoon(
		world,
		() => {
			if (leader.log.length < index) proposeAt(world, leader);
			return membersBy(world, leader).every(({ disk }) => disk.last >= index);
		},
		() => `${index} is not written everywhere`,
	);
	comeToRest(world);
}

/** What one leader found the whole cluster must know, whoever leads next. */
function tellAll(world: World, leader: SimNode, about: SimNode): void {
	const alarm = {
		...{ type: "raise-alarm", kind: "log-went-back", node: about.id },
		...{ index: about.disk.last, message: "it went back" },
	};
	let isOpen = false;
	const tell = () => {
		isOpen = true;
		world.workload.control(leader, alarm, (fate) => {
			isOpen = fate === Fate.committed;
		});
		leader.settle();
	};
	expectSoon(
		world,
		() => {
			if (!isOpen) tell();
			return membersBy(world, leader).every(
				(node) => node === about || node.machine.wentBack().includes(about.id),
			);
		},
		() => `not everybody knows of ${about.id}`,
	);
}

/** With it alone no quorum: just enough others are cut off that it would have to be counted. */
function withoutIt(
	world: World,
	leader: SimNode,
	node: SimNode,
	voters: readonly SimNode[],
): void {
	const { electionTimeoutMs } = world.options;
	comeToRest(world);
	const others = voters.filter((one) => one !== leader && one !== node);
	const least = Math.floor(voters.length / 2) + 1;
	const away = others.slice(least - 2);
	const mends: (() => void)[] = [];
	for (const one of away) {
		for (const other of world.nodes) {
			if (other === one || away.includes(other)) continue;
			mends.push(world.network.cut(one, other), world.network.cut(other, one));
		}
	}
	const before = world.oracles.committed.last;
	proposeAt(world, leader);
	world.runFor(6 * electionTimeoutMs);
	demand(
		world.oracles.committed.last === before,
		"uncounted",
		() =>
			`${world.oracles.committed.last} is committed while only ${node.id}, whose log went back, could make up a quorum of ${membersOf(leader.handed.configuration.configuration).join(", ")}`,
	);
	// Whoever still led would answer reads and keep the others from electing anybody.
	const leads = leaderOf(world);
	demand(
		leads === undefined,
		"uncounted",
		() => `${leads?.id} leads with ${node.id}, whose log went back`,
	);
	for (const mend of mends) mend();
	comeToRest(world);
	leftAlone(world, node);
}

/** Once it knows of itself, it does not campaign, however long it hears nobody. */
function leftAlone(world: World, node: SimNode): void {
	const { electionTimeoutMs } = world.options;
	world.runUntil(
		() => node.machine.wentBack().includes(node.id),
		lookMs(world),
		6 * electionTimeoutMs,
	);
	const mends = world.nodes
		.filter((other) => other !== node)
		.flatMap((other) => [
			world.network.cut(node, other),
			world.network.cut(other, node),
		]);
	world.runFor(4 * electionTimeoutMs);
	for (const mend of mends) mend();
	comeToRest(world);
}
