import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patience } from "../../src/raft/patience.js";
import type { Configuration } from "../../src/raft/types.js";
import { around, electionTimeoutMs, kind, TinyCluster } from "./cluster.js";

const stepMs = 10;
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const voterNames = fc.uniqueArray(fc.string({ minLength: 1 }), {
	minLength: 2,
	maxLength: 9,
});

describe("a voter's patience with a silent leader", () => {
	it("outlasts the time for which the leader counts on its voters (P35)", () => {
		fc.assert(
			fc.property(voterNames, random, (voters, dice) => {
				const [leader = "", ...others] = voters;
				for (const id of others)
					expect(patience(among(voters), id, leader, dice)).toBeGreaterThan(1);
			}),
		);
	});

	it("ends for no two of them at the same time, whatever the dice", () => {
		fc.assert(
			fc.property(voterNames, random, random, (voters, one, two) => {
				expectTurns(among(voters), voters, [one, two]);
			}),
		);
	});

	it("ends at different times for those who come and those who go, while the configuration is joint", () => {
		/** How many come, how many go, and whether the leader is one of those who come. */
		const sizes = fc.tuple(
			fc.nat({ max: 8 }),
			fc.nat({ max: 8 }),
			fc.boolean(),
		);
		fc.assert(
			fc.property(voterNames, sizes, random, random, (all, how, one, two) => {
				const [coming, going, comes] = how;
				const voters = all.slice(Math.min(going, all.length - 1));
				const outgoing = all.slice(0, Math.max(1, all.length - coming));
				const names = [...new Set([...outgoing, ...voters])];
				if (comes) names.reverse();
				expectTurns({ ...among(voters), outgoing }, names, [one, two]);
			}),
		);
	});
});

describe("a leader's death", () => {
	it.each([1, 2, 3, 4, 5])(
		"brings the first of the others by name to power at once, were it n%i",
		(at) => {
			const cluster = new TinyCluster(5);
			const dead = cluster.elect(at);
			passFinely(cluster, 200, () => false);
			passFinely(cluster, 1.1 * electionTimeoutMs, around(dead.id));
			const leaders = cluster.nodes.filter(
				(node) => node !== dead && node.role === "leader",
			);
			expect(leaders.map(({ id }) => id)).toEqual([at === 1 ? "n2" : "n1"]);
		},
	);

	it("brings the next one to power where the first has died as well", () => {
		const cluster = new TinyCluster(5);
		cluster.elect(1);
		passFinely(cluster, 200, () => false);
		passFinely(cluster, 1.2 * electionTimeoutMs, around("n1", "n2"));
		expect(cluster.node(3).role).toBe("leader");
	});

	it("keeps nobody from power for long who is needed, where the first may not be elected", () => {
		const cluster = new TinyCluster(3);
		const leader = cluster.elect(2);
		passFinely(cluster, 200, () => false);
		leader.propose(1, 1);
		// n1 lacks an entry that n3 has.
		passFinely(cluster, 50, kind("append-request", "n2", "n1"));
		passFinely(cluster, 1.2 * electionTimeoutMs, around("n2"));
		expect(cluster.node(3).role).toBe("leader");
	});
});

/** All but the leader, which is the first of `names`, have a turn of their own. */
function expectTurns(
	configuration: Configuration,
	names: readonly string[],
	[one, two]: readonly [number, number],
): void {
	const [leader = "", ...others] = names;
	const ranked = others.sort((a, b) => (a < b ? -1 : 1));
	for (const [at, id] of ranked.entries()) {
		const next = ranked[at + 1];
		if (next === undefined) continue;
		const ends = patience(configuration, id, leader, one);
		const nextEnds = patience(configuration, next, leader, two);
		// More than what a voter needs to hear that another asks.
		expect(nextEnds - ends).toBeGreaterThan(0.025);
	}
}

function among(voters: readonly string[]): Configuration {
	return { voters, outgoing: [], learners: [], addresses: {} };
}

/** Finer than a heartbeat: turns are shorter than that. */
function passFinely(
	cluster: TinyCluster,
	durationMs: number,
	lost: Parameters<TinyCluster["settle"]>[0],
): void {
	for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += stepMs) {
		for (const node of cluster.nodes) node.tick(stepMs);
		cluster.settle(lost);
	}
}
