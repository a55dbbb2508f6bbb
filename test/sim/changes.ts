import { membersOf } from "../../src/raft/configurations.js";
import type {
	Configuration,
	ConfigurationChange,
	MemberAddress,
	MemberChange,
} from "../../src/raft/types.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

type Draw = (at: {
	readonly world: World;
	readonly random: Random;
	readonly node: SimNode;
	readonly now: Configuration;
}) => readonly MemberChange[];

/** What an operator may come to ask for. Empty: not now. */
const draws: readonly (readonly [number, Draw])[] = [
	[4, ({ world, now, random }) => addMembers(world, now, random)],
	[5, ({ now, random }) => promote(now, random)],
	[
		2,
		({ now, random }) =>
			now.voters.length > 2 || random.chance(0.1)
				? [{ type: "demote", id: random.pick(now.voters) }]
				: [],
	],
	[3, ({ world, now, random, node }) => remove(world, now, random, node)],
	[2, ({ world, now, random, node }) => replace(world, now, random, node)],
	[2, ({ now, random }) => moveSeveral(now, random)],
	[2.5, ({ now, random, node }) => moveMost(now, random, node)],
	[2, ({ now, random }) => [moveAddress(now, random.pick(membersOf(now)))]],
	[2.5, ({ now, random }) => [nonsense(now, random)]],
	// Nobody would be left to decide.
	[0.3, ({ now }) => now.voters.map((id) => ({ type: "remove", id }))],
];

/** A change for the configuration that `node` goes by, or for another; null for none just now. */
export function drawChange(
	world: World,
	random: Random,
	node: SimNode,
): ConfigurationChange | null {
	const { index, configuration } = node.handed.configuration;
	if (configuration.voters.length === 0) return null;
	const draw = pick(random);
	const changes = draw({ world, random, node, now: configuration });
	if (changes.length === 0) return null;
	const { carelessChance } = world.options.operator;
	const careless = () => random.chance(carelessChance);
	return {
		changes,
		expectedIndex: random.chance(0.5)
			? index - (random.chance(0.1) ? 1 : 0)
			: null,
		waived: [
			...(careless() ? (["catch-up"] as const) : []),
			...(careless() ? (["quorum"] as const) : []),
		],
	};
}

function pick(random: Random): Draw {
	let point = random.next() * draws.reduce((sum, [weight]) => sum + weight, 0);
	for (const [weight, draw] of draws) {
		point -= weight;
		if (point < 0) return draw;
	}
	return (draws[0] as readonly [number, Draw])[1];
}

/** New nodes as learners, or one that was removed and still runs. */
function addMembers(
	world: World,
	now: Configuration,
	random: Random,
): MemberChange[] {
	const { maxMembers } = world.options.operator;
	if (membersOf(now).length >= maxMembers) return [];
	const waiting = world.strangers.waiting();
	if (waiting.length > 0 && random.chance(0.7)) {
		const node = random.pick(waiting);
		if (node.startCommit > 0) world.coverage.joinsAgain++;
		return [{ type: "add", id: node.id, address: addressOf(node.id, 1) }];
	}
	const count = random.chance(0.2) ? 2 : 1;
	return Array.from({ length: count }, () => world.strangers.join())
		.filter((node) => node !== null)
		.map(({ id }) => ({ type: "add", id, address: addressOf(id, 1) }));
}

function promote(now: Configuration, random: Random): MemberChange[] {
	if (now.learners.length === 0) return [];
	if (random.chance(0.2))
		return now.learners.map((id) => ({ type: "promote", id }));
	return [{ type: "promote", id: random.pick(now.learners) }];
}

/** The dead first; else anybody, often the leader. */
function remove(
	world: World,
	now: Configuration,
	random: Random,
	node: SimNode,
): MemberChange[] {
	const members = membersOf(now);
	const dead = members.filter((id) => world.strangers.isDead(id));
	if (dead.length > 0 && random.chance(0.8))
		return [{ type: "remove", id: random.pick(dead) }];
	if (now.voters.length < 3 && random.chance(0.9)) return [];
	const id = random.chance(0.4) ? node.id : random.pick(members);
	return [{ type: "remove", id }];
}

/** A learner takes the place of a voter, in one change. */
function replace(
	world: World,
	now: Configuration,
	random: Random,
	node: SimNode,
): MemberChange[] {
	if (now.learners.length === 0) return addMembers(world, now, random);
	const dead = now.voters.filter((id) => world.strangers.isDead(id));
	const gone =
		dead[0] ?? (random.chance(0.4) ? node.id : random.pick(now.voters));
	return [
		{ type: "promote", id: random.pick(now.learners) },
		{ type: "remove", id: gone },
	];
}

/** Every learner votes, and about half of the voters do not any more. */
function moveSeveral(now: Configuration, random: Random): MemberChange[] {
	const down = now.voters.filter(() => random.chance(0.4));
	const stays = now.voters.length - down.length + now.learners.length;
	if (stays < 2) return [];
	return [
		...now.learners.map((id) => ({ type: "promote" as const, id })),
		...down.map((id) => ({
			type: random.chance(0.5) ? ("demote" as const) : ("remove" as const),
			id,
		})),
	];
}

/** The learners take over: whoever `node` is, it goes, and most of the voters with it. */
function moveMost(
	{ voters, learners }: Configuration,
	random: Random,
	node: SimNode,
): MemberChange[] {
	if (learners.length === 0) return [];
	const others = random.shuffle(voters.filter((id) => id !== node.id));
	const gone = [node.id, ...others.slice(0, voters.length >> 1)];
	const type = random.chance(0.5) ? "demote" : "remove";
	return [
		...learners.map((id) => ({ type: "promote" as const, id })),
		...gone
			.filter((id) => voters.includes(id))
			.map((id) => ({ type: type as "demote" | "remove", id })),
	];
}

function moveAddress(now: Configuration, id: string): MemberChange {
	const port = Number(now.addresses[id]?.peer.split(":")[1] ?? 0) + 1;
	return { type: "update", id, address: addressOf(id, port) };
}

/** What makes no sense, each in its own way. */
function nonsense(now: Configuration, random: Random): MemberChange {
	const member = random.pick(membersOf(now));
	const voter = random.pick(now.voters);
	const address = now.addresses[member] ?? addressOf(member, 1);
	const all: readonly MemberChange[] = [
		{ type: "remove", id: "nobody" },
		{ type: "add", id: member, address },
		{ type: "promote", id: voter },
		{ type: "demote", id: now.learners[0] ?? "nobody" },
		{ type: "update", id: member, address },
		{
			type: "update",
			id: member,
			address: { ...address, incarnation: "another" },
		},
	];
	return random.pick(all);
}

export function addressOf(id: string, port: number): MemberAddress {
	return {
		peer: `${id}:${port}`,
		client: `${id}:${port + 1}`,
		admin: `${id}:${port + 2}`,
		incarnation: `${id}'s`,
	};
}
