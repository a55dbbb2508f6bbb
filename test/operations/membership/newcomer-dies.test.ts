import { describe, expect, it } from "vitest";
import { takenUpText } from "../../../src/cli/taken-up-text.js";
import { addLearner } from "../../../src/operations/membership/add-learner.js";
import { replaceNode } from "../../../src/operations/membership/replace-node.js";
import { resetNode } from "../../../src/operations/membership/reset-node.js";
import { scale } from "../../../src/operations/membership/scale.js";
import type { Operation } from "../../../src/operations/operation.js";
import {
	deadHolderWaitMs,
	takeUpUnfinished,
} from "../../../src/operations/taking-up.js";
import { failureOf, type Operating } from "../operating.js";
import { changing, type Done, killAt, rolesOf, three } from "./changing.js";

const skip = [] as const;
const given = {};

const replacing = () => replaceNode({ old: "n3", new: "n4", given, skip });
const adding = () => addLearner({ node: "n4", given, promote: true, skip });
const resetting = () => resetNode({ node: "n2", discard: false, skip });
const scaling = () => scale({ voters: 4, skip });

/** The operator is killed at the boundary, and the node dies with it. */
async function bothDie(
	make: () => Operation,
	boundary: string,
	id = "n4",
): Promise<Operating> {
	const world = changing(three, ["n4"]);
	await killAt(world, make, { boundary, afterMs: 0 });
	expect(world.cluster.operations[0]?.unfinished).toBe(true);
	world.cluster.stop(id);
	return world;
}

async function takeUp(
	{ context }: Operating,
	as: "resume" | "abort",
): Promise<Done> {
	const wish = { id: null, lockWaitMs: deadHolderWaitMs, as };
	const report: object = await takeUpUnfinished(context, wish);
	return report as Done;
}

describe("a newcomer that died with the operator", () => {
	it.each([
		["replace-node", "step-started n4/catch-up", replacing],
		["add-learner --promote", "step-started n4/catch-up", adding],
		["add-learner --promote", "step-started n4/promote", adding],
		["add-learner --promote", "step-finished n4/promote", adding],
		["scale", "step-finished n4/add", scaling],
	] as const)(
		"is started again by resume of %s, at %s",
		async (_, boundary, make) => {
			const world = await bothDie(make, boundary);
			const report = await takeUp(world, "resume");
			expect(rolesOf(world).n4).toBe("voter");
			expect(world.cluster.isReady("n4")).toBe(true);
			expect(report.silent).toEqual([]);
			const config = world.machines.files.get("/state/n4/node.yaml");
			expect(new TextDecoder().decode(config?.content)).toContain("join: true");
		},
	);

	it.each(["resume", "abort"] as const)(
		"is started again by %s of reset-node, with the data that it has by now",
		async (as) => {
			const world = await bothDie(resetting, "step-started n2/catch-up", "n2");
			const { incarnation } = world.cluster.node("n2");
			await takeUp(world, as);
			expect(rolesOf(world).n2).toBe(as === "resume" ? "voter" : "learner");
			expect(world.cluster.isReady("n2")).toBe(true);
			expect(world.cluster.node("n2").incarnation).toBe(incarnation);
		},
	);

	it("is taken out again by abort of replace-node, before the change", async () => {
		const world = await bothDie(replacing, "step-started n4/catch-up");
		const report = await takeUp(world, "abort");
		expect(rolesOf(world)).toEqual(three);
		expect(world.cluster.node("n4").running).toBe(false);
		expect(takenUpText("abort", report)).toContain("nothing is half done");
	});

	it("and dies again fails resume with its last words, not with a wait", async () => {
		const world = await bothDie(adding, "step-started n4/catch-up");
		world.cluster.node("n4").failsToStart = true;
		const error = await failureOf(takeUp(world, "resume"));
		expect(error.message).toContain("n4 ended right after its start");
		expect(error.problems).toEqual(["last words of n4"]);
	});

	it.each([
		["add-learner --promote", "step-finished n4/promote", adding],
		["replace-node", "step-finished n4/replace", replacing],
		["scale", "step-finished cluster/voters-4", scaling],
	] as const)(
		"as a voter is started again by abort of %s",
		async (_, boundary, make) => {
			const world = await bothDie(make, boundary);
			const report = await takeUp(world, "abort");
			expect(rolesOf(world).n4).toBe("voter");
			expect(world.cluster.isReady("n4")).toBe(true);
			expect(takenUpText("abort", report)).toContain("nothing is half done");
		},
	);

	it("as a voter and does not come up is named by abort, with what to type", async () => {
		const world = await bothDie(adding, "step-finished n4/promote");
		world.cluster.node("n4").failsToStart = true;
		const report = await takeUp(world, "abort");
		expect(report.silent).toEqual(["n4"]);
		const text = takenUpText("abort", report);
		expect(text).not.toContain("nothing is half done");
		expect(text).toContain("is given up, but n4 does not answer");
		expect(text).toContain(
			"raftctl up -c cluster.yaml starts it, raftctl remove-node n4 -c cluster.yaml takes it out",
		);
		expect(text).toContain("n4    voter  does not answer");
	});
});
