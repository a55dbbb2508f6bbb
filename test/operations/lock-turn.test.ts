import { describe, expect, it } from "vitest";
import { awaitLockTurn } from "../../src/operations/lock-turn.js";
import {
	planRollingRestart,
	rollingRestart,
} from "../../src/operations/rolling-restart.js";
import { failureOf, type Operating, operating } from "./operating.js";

const whole = { nodes: [], skip: [], lockWaitMs: 0 } as const;

/** Begins a roll and returns once it stands at this step, still going on. */
async function underWay(world: Operating, step: string) {
	const first = { holder: "bob@desk:2", host: "desk" };
	let rolling: ReturnType<typeof rollingRestart> | null = null;
	await new Promise<void>((arrived) => {
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === step) arrived();
		};
		rolling = rollingRestart({ ...world.context, holder: first }, whole);
	});
	world.onEvent = () => undefined;
	return { ended: rolling as unknown as ReturnType<typeof rollingRestart> };
}

describe("an operation that begins while another is under way", () => {
	it("is refused and told who operates, not that something was left unfinished", async () => {
		const world = operating();
		const { ended } = await underWay(world, "n2/ready");
		const error = await failureOf(rollingRestart(world.context, whole));
		expect(error.kind).toBe("locked");
		expect(error.message).toContain("rolling-restart by bob@desk:2");
		await ended;
	});

	it("waits for it as long as wished, then does its own work", async () => {
		const world = operating();
		const { ended } = await underWay(world, "n1/ready");
		const former = [...world.cluster.nodes.keys()];
		const second = await rollingRestart(world.context, {
			...whole,
			lockWaitMs: 600_000,
		});
		await ended;
		expect(second.nodes.map(({ node }) => node).sort()).toEqual(former.sort());
		expect(world.cluster.quorumLosses).toBe(0);
	});

	it("does not wait for a dead one until this machine's clock has come as far as the cluster's", async () => {
		const world = operating();
		const { cluster, context } = world;
		cluster.clockAheadMs = 300_000;
		const { engine } = context;
		const node = { id: "n1", admin: "n1:3" };
		const request = { ...{ holder: "bob@desk:2", host: "desk", nonce: "b" } };
		await engine.acquireLock(
			node,
			{ ...request, operation: "drain", ttlMs: 20_000 },
			{ timeoutMs: 1_000 },
		);
		await awaitLockTurn(context, 25_000);
		expect(cluster.lockNow()).toBeNull();
	});

	it("is refused a plan as well, as the world is about to change", async () => {
		const world = operating();
		const { ended } = await underWay(world, "n2/ready");
		const error = await failureOf(planRollingRestart(world.context, whole));
		expect(error.kind).toBe("locked");
		await ended;
	});
});
