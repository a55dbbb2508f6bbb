import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MemberStatus } from "../../../src/cluster/engine.js";
import { editedInventory } from "../../../src/config/edits.js";
import {
	healthLimits,
	lookAtCluster,
} from "../../../src/operations/context.js";
import { requireRemovable } from "../../../src/operations/membership/candidate.js";
import {
	editsTowards,
	type FileGoal,
} from "../../../src/operations/membership/cluster-file.js";
import {
	agreementText,
	changesTowards,
	describeMembers,
	type Goal,
	judgeAgreement,
	votersAfter,
} from "../../../src/operations/membership/members.js";
import { catchUpText } from "../../../src/operations/membership/refusal.js";
import { chooseVoters } from "../../../src/operations/membership/scale-choice.js";
import { judgeChange } from "../../../src/operations/membership/verdict.js";
import { inventoryOf, operating } from "../operating.js";
import { five, three } from "./changing.js";

const ids = ["n1", "n2", "n3", "n4", "n5"] as const;
const roles = fc.constantFrom("voter" as const, "learner" as const, null);
const goals = fc.constantFrom<Goal>("voter", "learner", "gone");

function member(id: string, role: MemberStatus["role"]): MemberStatus {
	const address = `${id}:1`;
	return {
		...{ id, role, incarnation: `i-${id}` },
		...{ peer: address, client: address, admin: address },
	};
}

const cluster = fc
	.tuple(roles, roles, roles, roles, roles)
	.map((each) =>
		each.flatMap((role, at) =>
			role === null ? [] : [member(ids[at] ?? "", role)],
		),
	);
const wished = fc.dictionary(fc.constantFrom(...ids), goals);

describe("the change towards goals", () => {
	it("reaches them for every member, adds nobody, and is empty once they are reached", () => {
		fc.assert(
			fc.property(cluster, wished, (members, goal) => {
				const changes = changesTowards(members, goal);
				const after = members.flatMap((one) => {
					const change = changes.find(({ id }) => id === one.id);
					if (change?.type === "remove") return [];
					if (change === undefined) return [one];
					const role = change.type === "promote" ? "voter" : "learner";
					return [member(one.id, role)];
				});
				expect(changesTowards(after, goal)).toEqual([]);
				for (const { id, role } of after) expect(role).toBe(goal[id] ?? role);
				expect([...votersAfter(members, changes)].sort()).toEqual(
					after
						.filter(({ role }) => role === "voter")
						.map(({ id }) => id)
						.sort(),
				);
			}),
		);
	});
});

describe("the quorum guard", () => {
	it("never calls a change safe without a connected majority of the voters after it", async () => {
		await fc.assert(
			fc.asyncProperty(fc.subarray([...ids]), wished, async (down, goal) => {
				const world = operating(five);
				for (const id of down) world.cluster.stop(id);
				const facts = await lookAtCluster(world.context);
				const changes = Object.entries(goal).map(([id, wish]) => ({
					id,
					type:
						wish === "voter"
							? ("promote" as const)
							: wish === "gone"
								? ("remove" as const)
								: ("demote" as const),
				}));
				const { safe } = judgeChange(
					facts,
					changes,
					healthLimits(world.context),
				);
				const after = ids.filter((id) => (goal[id] ?? "voter") === "voter");
				const up = after.filter((id) => !down.includes(id));
				const hadQuorum = ids.length - down.length > ids.length / 2;
				expect(safe).toBe(
					hadQuorum &&
						world.cluster.leader !== null &&
						up.length > after.length / 2,
				);
			}),
			{ numRuns: 200 },
		);
	});
});

describe("agreement", () => {
	it("names the member whose configuration is another, and the one that is silent", async () => {
		const { cluster: fake, context } = operating(three);
		fake.stop("n3");
		const facts = await lookAtCluster(context);
		const nodes = facts.nodes.map((node) =>
			node.id === "n2" && node.status !== null
				? { ...node, status: { ...node.status, configurationIndex: 7 } }
				: node,
		);
		const [leader] = nodes;
		if (!leader?.status) throw new Error("no leader");
		const { agreeing, differing, silent } = judgeAgreement(
			{ nodes },
			leader.status,
		);
		expect(agreeing).toEqual(["n1"]);
		expect(silent).toEqual(["n3"]);
		expect(differing[0]).toEqual({
			node: "n2",
			fault: "has the configuration of index 7, the leader that of 1",
		});
	});
});

describe("who is to vote", () => {
	const nodes = inventoryOf(five).nodes;
	const choose = (
		voters: number,
		members: Readonly<Record<string, MemberStatus["role"]>>,
		sound: readonly string[] = Object.keys(members),
	) =>
		chooseVoters({
			...{ voters, nodes, sound, leader: "n1" },
			members: Object.entries(members).map(([id, role]) => member(id, role)),
		});

	it("takes learners that have caught up before others, and strangers of the file last", () => {
		const { add, promote } = choose(
			4,
			{ n1: "voter", n2: "learner", n3: "learner" },
			["n1", "n3"],
		);
		expect(promote.map(({ node }) => node)).toEqual(["n3", "n2", "n4"]);
		expect(add.map(({ node }) => node)).toEqual(["n4"]);
	});

	it("takes the vote of those that are down first, and of the leader last", () => {
		const { demote } = choose(
			1,
			{ n1: "voter", n2: "voter", n3: "voter", n4: "voter" },
			["n1", "n3", "n4"],
		);
		expect(demote.map(({ node }) => node)).toEqual(["n2", "n4", "n3"]);
	});

	it("says how many are missing", () => {
		expect(choose(7, { n1: "voter" }).missing).toBe(2);
	});
});

describe("the cluster file", () => {
	it("says what the goals say, and a node that comes stands where the other stood", () => {
		const inventory = inventoryOf(three);
		const [first] = inventory.nodes;
		if (first === undefined) throw new Error("no nodes");
		const goal: FileGoal = {
			...{ type: "present", role: "voter" },
			node: { ...first, id: "n9", role: "learner" },
		};
		const edited = editedInventory(
			inventory,
			editsTowards(inventory, [goal, { type: "absent", id: "n2" }]),
		);
		expect(edited.nodes.map(({ id, role }) => `${id} ${role}`)).toEqual([
			"n1 voter",
			"n9 voter",
			"n3 voter",
		]);
		expect(editsTowards(edited, [{ type: "absent", id: "n2" }])).toEqual([]);
	});
});

describe("a data directory", () => {
	it.each(["/", "/data", "relative/n2", "/data/../etc", "/data/n2/", "/state"])(
		"is not touched when it is %s",
		(dataDirectory) => {
			const inventory = inventoryOf(three);
			const [node] = inventory.nodes;
			if (node === undefined) throw new Error("no nodes");
			expect(() =>
				requireRemovable(inventory, { ...node, dataDirectory }),
			).toThrow(/is not touched/);
		},
	);

	it("is not touched when another node's data lies in it", () => {
		const inventory = inventoryOf(three);
		const [node, other] = inventory.nodes;
		if (node === undefined || other === undefined) throw new Error("no nodes");
		const nodes = [node, { ...other, dataDirectory: "/data/n1/inner" }];
		expect(() => requireRemovable({ ...inventory, nodes }, node)).toThrow(
			/holds the data of another node/,
		);
	});
});

describe("members in words", () => {
	const members = [member("n2", "voter"), member("n1", "voter")];
	it("have the plural where there are two of a kind", () => {
		expect(describeMembers(members)).toBe("n1, n2");
		const one = [...members, member("n3", "learner")];
		expect(describeMembers(one)).toBe("n1, n2 and the learner n3");
		const two = [...one, member("n4", "learner")];
		expect(describeMembers(two)).toBe("n1, n2 and the learners n3, n4");
	});

	it("are counted with those that do not answer", () => {
		const differing = [{ node: "n2", fault: "does not answer" }];
		expect(
			agreementText({ agreeing: ["n1"], differing, silent: ["n2"] }, members),
		).toBe("1 of 2 reports n1, n2; n2 does not answer");
		expect(
			agreementText(
				{ agreeing: ["n1", "n2"], differing: [], silent: [] },
				members,
			),
		).toBe("all 2 report n1, n2");
	});
});

describe("catching up in words", () => {
	it("has the singular for one entry", () => {
		expect(
			catchUpText({
				...{ lagEntries: 1, entriesPerSecond: 0, caughtUp: false },
				remainingMs: null,
			}),
		).toBe("1 entry behind, nothing has reached it lately");
	});

	const view = { lagEntries: 1_200, entriesPerSecond: 400, caughtUp: false };
	it("tells lag, rate and time to go, or that there is no end to it", () => {
		expect(catchUpText({ ...view, remainingMs: 3_000 })).toBe(
			"1200 entries behind, 400 a second, about 3 s to go",
		);
		expect(catchUpText({ ...view, remainingMs: null })).toBe(
			"1200 entries behind, 400 a second, it does not gain on the leader",
		);
	});
});
