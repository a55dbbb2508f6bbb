import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	leaveJoint,
	planChange,
	transitionTo,
} from "../../src/raft/changes.js";
import { isQuorum } from "../../src/raft/quorum.js";
import type {
	ChangeRefusalReason,
	Configuration,
	MemberAddress,
	MemberChange,
} from "../../src/raft/types.js";

const names = ["n1", "n2", "n3", "n4", "n5"];

function address(at: number): MemberAddress {
	return { peer: `p${at}`, client: `c${at}`, admin: `a${at}` };
}

function configuration(
	voters: readonly string[],
	learners: readonly string[] = [],
): Configuration {
	const addresses = [...voters, ...learners].map((id) => [id, address(0)]);
	return {
		...{ voters, outgoing: [], learners },
		addresses: Object.fromEntries(addresses),
	};
}

const id = fc.constantFrom(...names);
const changes: fc.Arbitrary<MemberChange[]> = fc.array(
	fc.oneof(
		fc.record({
			type: fc.constantFrom("add" as const, "update" as const),
			id,
			address: fc.nat(2).map(address),
		}),
		fc.record({
			type: fc.constantFrom(
				"promote" as const,
				"demote" as const,
				"remove" as const,
			),
			id,
		}),
	),
	{ maxLength: 6 },
);

/** Each name has a part, or none. */
const parts = fc.array(
	fc.constantFrom("voter" as const, "learner" as const, "none" as const),
	{ minLength: 5, maxLength: 5 },
);

interface Member {
	readonly part: "voter" | "learner";
	readonly address: MemberAddress;
}

/** One change after another on a plain table; a refusal ends it. */
function naive(
	before: ReadonlyMap<string, Member>,
	list: readonly MemberChange[],
): Map<string, Member> | ChangeRefusalReason {
	const table = new Map(before);
	for (const change of list) {
		const member = table.get(change.id);
		if (change.type === "add") {
			if (member !== undefined || before.has(change.id))
				return "duplicate-member";
			table.set(change.id, { part: "learner", address: change.address });
		} else if (member === undefined) return "unknown-member";
		else if (change.type === "remove") table.delete(change.id);
		else if (change.type === "update")
			table.set(change.id, { ...member, address: change.address });
		else {
			const [from, to] =
				change.type === "promote"
					? (["learner", "voter"] as const)
					: (["voter", "learner"] as const);
			if (member.part !== from)
				return from === "voter" ? "not-a-voter" : "not-a-learner";
			table.set(change.id, { ...member, part: to });
		}
	}
	if (![...table.values()].some(({ part }) => part === "voter"))
		return "no-voters";
	const text = (each: ReadonlyMap<string, Member>) =>
		JSON.stringify([...each].sort());
	return text(table) === text(before) ? "nothing-to-change" : table;
}

function tableOf({ voters, learners, addresses }: Configuration) {
	const entries = [
		...voters.map((name) => [name, "voter"] as const),
		...learners.map((name) => [name, "learner"] as const),
	];
	return new Map(
		entries.map(([name, part]) => [
			name,
			{ part, address: addresses[name] as MemberAddress },
		]),
	);
}

describe("a change of membership", () => {
	it("leads where doing its parts one by one on a table leads", () => {
		fc.assert(
			fc.property(parts, changes, (given, list) => {
				const of = (part: string) =>
					names.filter((_, at) => given[at] === part);
				fc.pre(of("voter").length > 0);
				const current = configuration(of("voter"), of("learner"));
				const planned = planChange(current, {
					...{ changes: list, expectedIndex: null, waived: [] },
				});
				const expected = naive(tableOf(current), list);
				if (planned.kind === "refused") {
					expect(planned.reason).toBe(expected);
					return;
				}
				expect(tableOf(planned.target)).toEqual(expected);
				expect(Object.keys(planned.target.addresses).sort()).toEqual(
					[...planned.target.voters, ...planned.target.learners].sort(),
				);
				const promoted = planned.target.voters.filter(
					(name) => !current.voters.includes(name),
				);
				for (const name of promoted) expect(planned.promoted).toContain(name);
				expect(leaveJoint(transitionTo(current, planned.target))).toEqual(
					planned.target,
				);
			}),
			{ numRuns: 5000 },
		);
	});

	it("never has two quorums, one before and one after a step, without a common member (P20)", () => {
		const groups = subsets(names);
		const voterSets = groups.filter((group) => group.length > 0);
		const deciding = (of: Configuration) =>
			groups.filter((group) => isQuorum(of, (name) => group.includes(name)));
		let pairs = 0;
		for (const old of voterSets) {
			const before = configuration(old);
			const oldQuorums = deciding(before);
			for (const next of voterSets) {
				const joint = transitionTo(before, configuration(next));
				const jointQuorums = deciding(joint);
				for (const others of [oldQuorums, deciding(leaveJoint(joint))]) {
					pairs += jointQuorums.length * others.length;
					const apart = jointQuorums.some((one) =>
						others.some((other) => !one.some((name) => other.includes(name))),
					);
					if (apart) expect.fail(`${old} to ${next}`);
				}
			}
		}
		expect(pairs).toBeGreaterThan(10_000);
	});

	it("of addresses or learners alone changes at once: nobody's vote depends on it", () => {
		const current = configuration(["n1", "n2"], ["n3"]);
		const target = configuration(["n2", "n1"], ["n4"]);
		expect(transitionTo(current, target)).toBe(target);
	});

	it("keeps in reach whoever still decides: a removed voter's address stays until the change is done", () => {
		const joint = transitionTo(
			configuration(["n1", "n2"]),
			configuration(["n1"], ["n3"]),
		);
		expect(Object.keys(joint.addresses).sort()).toEqual(["n1", "n2", "n3"]);
		expect(Object.keys(leaveJoint(joint).addresses)).toEqual(["n1", "n3"]);
	});
});

function subsets(of: readonly string[]): string[][] {
	return Array.from({ length: 2 ** of.length }, (_, bits) =>
		of.filter((_name, at) => (bits >> at) % 2 === 1),
	);
}
