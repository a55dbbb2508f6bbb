import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	isQuorum,
	majority,
	quorumIndex,
	voteResult,
} from "../../src/raft/quorum.js";
import type { Configuration } from "../../src/raft/types.js";

const names = ["a", "b", "c", "d", "e", "f", "g"];
const configurations = fc.record({
	voters: fc.subarray(names, { minLength: 1 }),
	outgoing: fc.subarray(names),
	learners: fc.constant([]),
	addresses: fc.constant({}),
});
const matches = fc.dictionary(fc.constantFrom(...names), fc.nat(20));

/** Counts from the definition: the largest index that a majority of each half holds. */
function naiveQuorumIndex(
	configuration: Configuration,
	matchOf: (id: string) => number,
): number {
	for (let index = 20; index > 0; index--) {
		const halves = [configuration.voters, configuration.outgoing];
		const held = halves.every(
			(half) =>
				half.length === 0 ||
				half.filter((id) => matchOf(id) >= index).length * 2 > half.length,
		);
		if (held) return index;
	}
	return 0;
}

describe("quorum", () => {
	it("finds the same commit index as counting from the definition does", () => {
		fc.assert(
			fc.property(configurations, matches, (configuration, match) => {
				const matchOf = (id: string) => match[id] ?? 0;
				expect(quorumIndex(configuration, matchOf)).toBe(
					naiveQuorumIndex(configuration, matchOf),
				);
			}),
			{ numRuns: 50_000 },
		);
	});

	it("calls a vote won only by a quorum, and lost only when none is left", () => {
		const votes = fc.dictionary(fc.constantFrom(...names), fc.boolean());
		fc.assert(
			fc.property(configurations, votes, (configuration, given) => {
				const result = voteResult(configuration, (id) => given[id]);
				const granted = isQuorum(configuration, (id) => given[id] === true);
				const possible = isQuorum(configuration, (id) => given[id] !== false);
				expect(result).toBe(granted ? "won" : possible ? "pending" : "lost");
			}),
			{ numRuns: 20_000 },
		);
	});

	it("needs more than half", () => {
		expect([1, 2, 3, 4, 5].map(majority)).toEqual([1, 2, 2, 3, 3]);
	});
});
