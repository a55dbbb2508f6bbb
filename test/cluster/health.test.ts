import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { statusOf } from "../../src/cluster/facts.js";
import {
	confirmedLeader,
	judgeQuorum,
	lagOf,
	safeToStop,
} from "../../src/cluster/health.js";
import { type Change, factsOf, limits } from "./cluster-facts.js";

function followersOf(view: object, node = "n2") {
	const leader = statusOf(factsOf(3), "n1");
	return (leader?.followers ?? []).map((follower) =>
		follower.id === node ? { ...follower, ...view } : follower,
	);
}

describe("the verdict on the quorum", () => {
	it("of a healthy cluster counts every voter", () => {
		expect(judgeQuorum(factsOf(5), limits)).toMatchObject({
			leader: "n1",
			quorum: 3,
			sound: ["n1", "n2", "n3", "n4", "n5"],
			tolerance: 2,
			faults: [],
		});
	});

	const changes: readonly (readonly [
		string,
		Record<string, Change>,
		string,
	])[] = [
		["is silent", { n2: "silent" }, "does not answer"],
		["is in another term", { n2: { term: 9 } }, "is in term 9"],
		["follows nobody", { n2: { leader: null } }, "follows nobody"],
		[
			"has another configuration",
			{ n2: { configurationIndex: 7 } },
			"configuration of index 7",
		],
		[
			"is not ready",
			{
				n2: {
					ready: false,
					checks: [{ name: "disk", ok: false, reason: "stalled" }],
				},
			},
			"disk: stalled",
		],
		[
			"is not heard by the leader",
			{ n1: { followers: followersOf({ heardAgoMs: 5_000 }) } },
			"was not heard by the leader for 5000 ms",
		],
		[
			"lags by the leader's word",
			{ n1: { followers: followersOf({ match: 0 }) } },
			"1000 entries behind",
		],
		[
			"is not listed by the leader",
			{ n1: { followers: [] } },
			"is not listed by the leader n1",
		],
	];
	for (const [what, change, fault] of changes)
		it(`does not count a voter that ${what}`, () => {
			const { sound, faults } = judgeQuorum(factsOf(3, change), limits);
			expect(sound).not.toContain("n2");
			expect(faults.find(({ node }) => node === "n2")?.fault).toContain(fault);
		});

	it("counts a voter that is unready only because it drains", () => {
		const draining = {
			ready: false,
			checks: [{ name: "not-draining", ok: false, reason: "asked to" }],
			drain: {
				draining: true,
				closing: false,
				stopping: false,
				leaseLeftMs: 1,
				connectionsLeft: 0,
			},
		};
		expect(judgeQuorum(factsOf(3, { n2: draining }), limits).sound).toContain(
			"n2",
		);
	});

	it("does not count a voter that drains because it is about to stop", () => {
		const stopping = {
			ready: false,
			checks: [{ name: "not-draining", ok: false, reason: "on its way out" }],
			drain: {
				draining: true,
				closing: false,
				stopping: true,
				leaseLeftMs: 0,
				connectionsLeft: 0,
			},
		};
		const facts = factsOf(3, { n2: stopping });
		const { sound, faults } = judgeQuorum(facts, limits);
		expect(sound).not.toContain("n2");
		expect(faults).toEqual([
			{ node: "n2", fault: "is not ready: it is stopping" },
		]);
		expect(safeToStop(facts, "n3", limits).safe).toBe(false);
	});

	it("believes no leader that is alone in saying so", () => {
		const alone = factsOf(3, {
			n2: { leader: null },
			n3: { leader: null },
		});
		expect(confirmedLeader(alone)).toBeNull();
		expect(judgeQuorum(alone, limits).tolerance).toBe(0);
	});

	it("believes no leader that does not name itself, however many follow it", () => {
		const facts = factsOf(5, { n1: { leader: null } });
		expect(confirmedLeader(facts)).toBeNull();
		expect(safeToStop(facts, "n1", limits).safe).toBe(false);
	});

	it("believes the newer of two that call themselves leader", () => {
		const split = factsOf(3, {
			n2: { role: "leader", leader: "n2", term: 9 },
			n3: { leader: "n2", term: 9 },
		});
		expect(confirmedLeader(split)?.nodeId).toBe("n2");
	});
});

describe("whether a node may stop", () => {
	it("is yes for each of three healthy voters, with nothing to spare", () => {
		for (const node of ["n1", "n2", "n3"])
			expect(safeToStop(factsOf(3), node, limits)).toMatchObject({
				safe: true,
				margin: 0,
			});
	});

	it("is no once another is down, and says which", () => {
		const verdict = safeToStop(factsOf(3, { n3: "silent" }), "n2", limits);
		expect(verdict.safe).toBe(false);
		expect(verdict.reason).toContain("n3 does not answer");
	});

	it("is yes for the one that is down itself", () => {
		expect(safeToStop(factsOf(3, { n3: "silent" }), "n3", limits).safe).toBe(
			true,
		);
	});

	it("is no for the only voter", () => {
		expect(safeToStop(factsOf(1), "n1", limits).safe).toBe(false);
	});

	it("is no while the configuration changes", () => {
		const joint = factsOf(3);
		const members = statusOf(joint, "n1")?.members ?? [];
		const outgoing = { ...members[2], id: "n4", role: "outgoing" } as const;
		const changed = { members: [...members, outgoing] as typeof members };
		expect(
			safeToStop(factsOf(3, { n1: changed }), "n2", limits).reason,
		).toContain("membership change");
	});

	it("is never yes unless a majority of voters that answered remains (property)", () => {
		const change = fc.constantFrom<Change>(
			"silent",
			{},
			{ term: 9 },
			{ leader: null },
			{ configurationIndex: 2 },
		);
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 7 }),
				fc.array(change, { minLength: 7, maxLength: 7 }),
				fc.nat({ max: 6 }),
				(voters, drawn, index) => {
					const changes = Object.fromEntries(
						drawn.map((one, n) => [`n${n + 1}`, one]),
					);
					const node = `n${(index % voters) + 1}`;
					const { safe } = safeToStop(factsOf(voters, changes), node, limits);
					// Of one view with the leader, which is what counting on somebody means.
					const view = JSON.stringify(drawn[0]);
					const whole = drawn
						.slice(0, voters)
						.filter(
							(one, n) =>
								one !== "silent" &&
								JSON.stringify(one) === view &&
								`n${n + 1}` !== node,
						).length;
					if (safe) expect(whole).toBeGreaterThan(voters / 2);
				},
			),
		);
	});
});

describe("lag", () => {
	it("is counted from the leader's commit index, never from the node's own", () => {
		const facts = factsOf(3, { n2: { commitIndex: 400, appliedIndex: 400 } });
		expect(lagOf(facts, "n2")).toBe(600);
	});

	it("is not known without a leader", () => {
		expect(lagOf(factsOf(3, { n1: "silent" }), "n2")).toBeNull();
	});
});
