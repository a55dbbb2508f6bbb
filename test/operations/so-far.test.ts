import { describe, expect, it } from "vitest";
import { replaceNode } from "../../src/operations/membership/replace-node.js";
import {
	deadHolderWaitMs,
	planTakeUp,
	takeUpUnfinished,
} from "../../src/operations/taking-up.js";
import { changing, killAt, rolesOf, three } from "./membership/changing.js";
import type { Operating } from "./operating.js";

const wish = { id: null, lockWaitMs: deadHolderWaitMs } as const;
const make = () => replaceNode({ old: "n1", new: "n4", given: {}, skip: [] });

/** The new node is a member; the old one has yet to be drained, which is a lease and ends by itself. */
async function killed(): Promise<Operating> {
	const world = changing(three, ["n4"]);
	await killAt(world, make, {
		...{ boundary: "step-started n1/announce", afterMs: 0 },
	});
	return world;
}

async function soFarOf(
	{ context }: Operating,
	as: "resume" | "abort",
): Promise<readonly string[]> {
	const plan = await planTakeUp(context, { ...wish, as });
	return plan.soFar ?? [];
}

const changed = /^(done before|new in|not in)/;

describe("the plan of what is taken up", () => {
	it("says nothing of changes where the cluster is as the killed one left it", async () => {
		const world = await killed();
		const soFar = await soFarOf(world, "resume");
		expect(soFar).toEqual([expect.stringMatching(/^done: .*n4\/add/)]);
	});

	it("shows what somebody undid by hand meanwhile, and resume does it again", async () => {
		const world = await killed();
		world.cluster.node("n4").role = null;
		expect(await soFarOf(world, "resume")).toContainEqual(
			expect.stringMatching(/^done before, and to be done again: .*n4\//),
		);
		await takeUpUnfinished(world.context, {
			...{ ...wish, as: "resume" },
		});
		expect(rolesOf(world)).toMatchObject({ n2: "voter", n4: "voter" });
	});

	it("shows what somebody did by hand meanwhile, and resume ends it", async () => {
		const world = await killed();
		world.cluster.node("n4").role = "voter";
		world.cluster.node("n1").role = null;
		world.cluster.leader = "n2";
		expect(await soFarOf(world, "resume")).toContainEqual(
			expect.stringMatching(/^not in the plan any more: .*n4\/replace/),
		);
		await takeUpUnfinished(world.context, {
			...{ ...wish, as: "resume" },
		});
		expect(world.cluster.node("n1").running).toBe(false);
	});

	it("of giving up compares nothing: it is another plan by nature", async () => {
		const world = await killed();
		const soFar = await soFarOf(world, "abort");
		expect(soFar.filter((one) => changed.test(one))).toEqual([]);
	});
});
