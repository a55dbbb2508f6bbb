import { describe, expect, it } from "vitest";
import { rollOperation } from "../../../src/operations/roll/operation.js";
import type { RollGoal } from "../../../src/operations/roll/roll.js";
import { runOperation } from "../../../src/operations/run-operation.js";
import { failureOf, type Operating, operating } from "../operating.js";

/** What is new does not become ready on n2, until it has back what it ran before. */
function rollOut(world: Operating, soakMs = 0): Promise<unknown> {
	const n2 = world.cluster.node("n2");
	const goal: RollGoal = {
		...{ name: "upgrade", text: "upgrade --to 2.0", soakMs },
		prepare: async () => ({}),
		before: async () => [],
		isToCome: (status, { former }) => (status?.processId ?? null) === former,
		configure: async () => {
			n2.neverReady = soakMs === 0;
		},
		isConfigured: async () => true,
		former: {
			isNext: async () => false,
			giveBack: async () => {
				world.machines.log.push("give back");
				n2.neverReady = false;
				return "1.0";
			},
		},
	};
	const wish = { nodes: ["n2"], skip: [], settings: {} };
	return runOperation(world.context, () => rollOperation(wish, goal), {
		lockWaitMs: 0,
	});
}

describe("a node that does not become ready with what it was given", () => {
	it("is stopped once more, given back what it ran, and started", async () => {
		const world = operating();
		const failure = await failureOf(rollOut(world));
		expect(failure.state).toContain("n2 was taken back: it runs 1.0 again");
		expect(world.machines.log).toEqual([
			...["stop n2", "start n2", "give back", "stop n2", "start n2"],
		]);
		expect(world.cluster.quorumLosses).toBe(0);
	});

	it("is not stopped again when another node has died meanwhile: the quorum needs it", async () => {
		const world = operating();
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/ready")
				world.cluster.stop("n3");
		};
		const failure = await failureOf(rollOut(world));
		expect(failure.exitCode).toBe(14);
		expect(failure.message).toContain("it was not taken back");
		expect(failure.message).toContain("would not leave a proven quorum");
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
		expect(world.cluster.quorumLosses).toBe(0);
	});

	it("nor when it is fit itself, and only another one is missing", async () => {
		const world = operating();
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/soak")
				world.cluster.stop("n3");
		};
		const failure = await failureOf(rollOut(world, 5_000));
		expect(failure.message).toContain("n3 does not answer");
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
		expect(world.cluster.quorumLosses).toBe(0);
	});

	it("is started with what it ran before when its process is gone", async () => {
		const world = operating();
		world.onEvent = (event) => {
			if (event.type !== "step-started" || event.step !== "n2/ready") return;
			world.cluster.stop("n2");
		};
		await failureOf(rollOut(world));
		expect(world.machines.log).toEqual([
			...["stop n2", "start n2", "give back", "start n2"],
		]);
	});
});
