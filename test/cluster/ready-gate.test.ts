import { describe, expect, it } from "vitest";
import { findDisagreements } from "../../src/cluster/disagreements.js";
import { judgeReadyGate } from "../../src/cluster/ready-gate.js";
import { type Change, factsOf, limits } from "./cluster-facts.js";

const question = { node: "n2", formerProcessId: "n2-0", index: 1_000, limits };

describe("the ready gate", () => {
	it("opens for a node that is a full member again", () => {
		expect(judgeReadyGate(factsOf(3), question)).toEqual({
			passed: true,
			reason: "",
		});
	});

	const shut: readonly (readonly [string, Record<string, Change>, string])[] = [
		["is silent", { n2: "silent" }, "n2 does not answer"],
		["runs on as it was", { n2: { processId: "n2-0" } }, "before the restart"],
		[
			"has not applied what was committed after its start, though it calls itself level",
			{ n2: { appliedIndex: 900, commitIndex: 900 } },
			"applied 900 of 1000",
		],
		[
			"is not reached by a peer",
			{ n3: { connectedPeers: ["n1"] } },
			"n3 does not reach it",
		],
		["is not listed by a peer", { n3: { members: [] } }, "n3 does not list it"],
		["has a peer that is silent", { n3: "silent" }, "n3 does not answer"],
		["is not counted on", { n1: { followers: [] } }, "is not listed"],
	];
	for (const [what, change, reason] of shut)
		it(`is shut for a node that ${what}`, () => {
			const verdict = judgeReadyGate(factsOf(3, change), question);
			expect(verdict.passed).toBe(false);
			expect(verdict.reason).toContain(reason);
		});
});

describe("disagreements", () => {
	it("are none in a healthy cluster, and none for the silent", () => {
		expect(findDisagreements(factsOf(3, { n3: "silent" }))).toEqual([]);
	});

	it("name every view of the leader", () => {
		const facts = factsOf(3, { n3: { leader: "n2" } });
		expect(findDisagreements(facts)).toEqual([
			{
				about: "leader",
				views: [
					{ node: "n1", says: "n1" },
					{ node: "n2", says: "n1" },
					{ node: "n3", says: "n2" },
				],
			},
		]);
	});

	it("show a member that is listed by some only", () => {
		const facts = factsOf(3, { n2: { members: [] } });
		expect(findDisagreements(facts).map(({ about }) => about)).toEqual([
			"members",
		]);
	});
});
