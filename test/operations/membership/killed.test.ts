import { describe, expect, it } from "vitest";
import { parseRecord } from "../../../src/operations/journal/record.js";
import { addLearner } from "../../../src/operations/membership/add-learner.js";
import { demote } from "../../../src/operations/membership/demote.js";
import { moveNode } from "../../../src/operations/membership/move-node.js";
import { promote } from "../../../src/operations/membership/promote.js";
import { removeNode } from "../../../src/operations/membership/remove-node.js";
import { replaceNode } from "../../../src/operations/membership/replace-node.js";
import { resetNode } from "../../../src/operations/membership/reset-node.js";
import { scale } from "../../../src/operations/membership/scale.js";
import type { Operation } from "../../../src/operations/operation.js";
import { runOperation } from "../../../src/operations/run-operation.js";
import {
	deadHolderWaitMs,
	takeUpUnfinished,
} from "../../../src/operations/taking-up.js";
import type { Operating } from "../operating.js";
import {
	boundaryOf,
	changing,
	five,
	killAt,
	rolesOf,
	three,
} from "./changing.js";

interface Case {
	readonly name: string;
	readonly world: () => Operating;
	readonly make: () => Operation;
	/** Roles once it is done. */
	readonly after: Readonly<Record<string, string>>;
}

const given = {};
const skip = [] as const;
const cases: readonly Case[] = [
	{
		name: "add-learner --promote",
		world: () => changing(three, ["n4"]),
		make: () => addLearner({ node: "n4", given, promote: true, skip }),
		after: { ...three, n4: "voter" },
	},
	{
		name: "promote",
		world: () => changing({ ...three, n4: "learner" }),
		make: () => promote({ node: "n4", wait: true, skip }),
		after: { ...three, n4: "voter" },
	},
	{
		name: "demote of the leader",
		world: () => changing(),
		make: () => demote({ node: "n1", skip }),
		after: { ...three, n1: "learner" },
	},
	{
		name: "remove-node of the leader",
		world: () => changing(five),
		make: () => removeNode({ node: "n1", skip }),
		after: { n2: "voter", n3: "voter", n4: "voter", n5: "voter" },
	},
	{
		name: "replace-node of the leader",
		world: () => changing(three, ["n4"]),
		make: () => replaceNode({ old: "n1", new: "n4", given, skip }),
		after: { n2: "voter", n3: "voter", n4: "voter" },
	},
	{
		name: "reset-node of the leader",
		world: () => changing(),
		make: () => resetNode({ node: "n1", discard: false, skip }),
		after: three,
	},
	{
		name: "reset-node --discard",
		world: () => changing(),
		make: () => resetNode({ node: "n2", discard: true, skip }),
		after: three,
	},
	{
		name: "move-node of the leader",
		world: () => changing(),
		make: () => moveNode({ node: "n1", given: { peer: "n1:101" }, skip }),
		after: three,
	},
	{
		name: "scale up",
		world: () => changing(three, ["n4", "n5"]),
		make: () => scale({ voters: 5, skip }),
		after: five,
	},
	{
		name: "scale down",
		world: () => changing(five),
		make: () => scale({ voters: 3, skip }),
		after: { ...three, n4: "learner", n5: "learner" },
	},
];

const lockWaitMs = deadHolderWaitMs;
const wish = { id: null, lockWaitMs } as const;

async function boundariesOf({ world, make }: Case): Promise<readonly string[]> {
	const operating = world();
	await runOperation(operating.context, make, { lockWaitMs: 0 });
	return operating.events.flatMap((event) => boundaryOf(event) ?? []);
}

/** The same, killed `afterMs` of virtual time after this boundary: at it, or within the step. */
async function killedAt(
	{ world, make }: Case,
	boundary: string,
	afterMs: number,
): Promise<Operating> {
	const operating = world();
	operating.cluster.connect(12, "n1");
	await killAt(operating, make, { boundary, afterMs });
	return operating;
}

function expectValid({ cluster }: Operating, at: string): void {
	for (const { id, role, running } of cluster.nodes.values()) {
		const drained = running && cluster.isDraining(id);
		expect([at, id, drained]).toEqual([at, id, false]);
		expect([at, id, running]).toEqual([at, id, role !== null]);
		if (role !== null)
			expect([at, id, cluster.isReady(id)]).toEqual([at, id, true]);
	}
	expect([at, cluster.lockNow()]).toEqual([at, null]);
	expect([at, cluster.quorumLosses]).toEqual([at, 0]);
	expect([at, cluster.cut]).toEqual([at, 0]);
	expect([at, cluster.leaderlessMs]).toEqual([at, 0]);
	expect(cluster.operations.some(({ unfinished }) => unfinished)).toBe(false);
}

describe.each(cases)("$name, killed", (one) => {
	it.each([0, 37])(
		"%i ms after any boundary, is ended by resume",
		async (ms) => {
			for (const boundary of await boundariesOf(one)) {
				const world = await killedAt(one, boundary, ms);
				const { cluster, context } = world;
				if (cluster.operations.some(({ unfinished }) => unfinished))
					await takeUpUnfinished(context, { ...wish, as: "resume" });
				expectValid(world, boundary);
				expect([boundary, rolesOf(world)]).toEqual([boundary, one.after]);
				const made = cluster.changes.join();
				expect([boundary, new Set(cluster.changes).size, made]).toEqual([
					...[boundary, cluster.changes.length, made],
				]);
				for (const { process } of cluster.nodes.values())
					expect(process).toBeLessThanOrEqual(2);
			}
		},
	);

	it.each([0, 37])(
		"%i ms after any boundary, leaves a valid cluster by abort",
		async (ms) => {
			for (const boundary of await boundariesOf(one)) {
				const world = await killedAt(one, boundary, ms);
				const before = rolesOf(one.world());
				const { cluster, context } = world;
				if (cluster.operations.some(({ unfinished }) => unfinished))
					await takeUpUnfinished(context, { ...wish, as: "abort" });
				expectValid(world, boundary);
				const voters = Object.values(rolesOf(world)).filter(
					(role) => role === "voter",
				).length;
				const [fewest, most] = [before, one.after]
					.map((roles) => Object.values(roles))
					.map((roles) => roles.filter((role) => role === "voter").length)
					.sort() as [number, number];
				const floor = one.name.startsWith("reset") ? fewest - 1 : fewest;
				expect([boundary, voters >= floor && voters <= most]).toEqual([
					...[boundary, true],
				]);
				const [stored] = cluster.operations;
				if (stored === undefined) throw new Error("nothing was recorded");
				expect(["aborted", "done"]).toContain(parseRecord(stored).state);
			}
		},
	);
});
