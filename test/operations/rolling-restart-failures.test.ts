import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import type { OperationEvent } from "../../src/operations/events.js";
import type { RollOptions } from "../../src/operations/roll/options.js";
import { rollingRestart } from "../../src/operations/rolling-restart.js";
import { failureOf, type Operating, operating } from "./operating.js";

const whole: RollOptions = {
	nodes: [],
	skip: [],
	lockWaitMs: 0,
};

/** Does it once, when the step begins. */
function atStep(world: Operating, step: string, act: () => void): void {
	let done = false;
	world.onEvent = (event: OperationEvent) => {
		if (done || event.type !== "step-started" || event.step !== step) return;
		done = true;
		act();
	};
}

/** What must hold after every roll, however it ended. */
async function expectTidy(world: Operating): Promise<void> {
	const { cluster, machines } = world;
	for (const id of cluster.nodes.keys())
		expect(cluster.isDraining(id), `${id} drains`).toBe(false);
	expect(cluster.lock).toBeNull();
	const stops = machines.log.filter((line) => line.startsWith("stop"));
	const starts = machines.log.filter((line) => line.startsWith("start"));
	expect(starts).toHaveLength(stops.length);
}

describe("a node that dies during the roll", () => {
	it("before its drain: the roll ends, and no node is stopped", async () => {
		const world = operating();
		atStep(world, "n2/prove", () => world.cluster.stop("n3"));
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(11);
		expect(failure.message).toContain("n3");
		expect(world.machines.log).toEqual([]);
		await expectTidy(world);
	});

	it("another one during the drain: the second proof fails, and the drain is undone", async () => {
		const world = operating();
		atStep(world, "n2/drain", () => world.cluster.stop("n3"));
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(11);
		expect(failure.state).toContain("n2 was not stopped");
		expect(world.machines.log).toEqual([]);
		expect(world.cluster.quorumLosses).toBe(0);
		await expectTidy(world);
	});

	it("itself during its drain: the roll ends and touches nothing else", async () => {
		const world = operating();
		world.cluster.connect(5, "n2");
		world.cluster.connect(9, "n3");
		world.cluster.node("n2").stubborn = 5;
		atStep(world, "n2/drain", () => world.cluster.stop("n2"));
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(20);
		expect(failure.node).toBe("n2");
		expect(failure.state).toContain("not touched: n3, n1");
		expect(world.machines.log).toEqual([]);
	});

	it("another one while it is stopped: it is started, the gate never opens, and nothing else is touched", async () => {
		const world = operating();
		world.onEvent = (event) => {
			if (event.type === "step-progress" && event.step === "n2/restart")
				world.cluster.stop("n3");
		};
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(14);
		expect(failure.message).toContain("n3 does not answer");
		expect(failure.next).toBe(
			"raftctl operation resume -c cluster.yaml goes on with it, raftctl operation abort -c cluster.yaml gives it up",
		);
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
	});

	it("itself at its start: told at once, with the end of its log", async () => {
		const world = operating();
		world.cluster.node("n2").failsToStart = true;
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(14);
		expect(failure.message).toContain("n2 ended right after its start");
		expect(failure.problems).toEqual(["last words of n2"]);
		expect(failure.next).toBe(
			"raftctl operation resume -c cluster.yaml goes on with it, raftctl operation abort -c cluster.yaml gives it up",
		);
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
		expect(world.cluster.lock).toBeNull();
	});

	it("itself after its start, before it has settled: nothing else is touched", async () => {
		const world = operating();
		atStep(world, "n2/ready", () => {
			void world.clock.sleep(700).then(() => world.cluster.stop("n2"));
		});
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(14);
		expect(failure.node).toBe("n2");
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
	});

	it("after others were restarted: it is partial, and the next command takes it up", async () => {
		const world = operating();
		atStep(world, "n3/prove", () => world.cluster.stop("n1"));
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(14);
		expect(failure.state).toContain("restarted and back in service: n2");
		expect(failure.next).toBe(
			"raftctl operation resume -c cluster.yaml goes on with it, raftctl operation abort -c cluster.yaml gives it up",
		);
	});
});

describe("a node that does not do as it is told", () => {
	it("that never becomes ready ends the roll, with its log", async () => {
		const world = operating();
		atStep(world, "n2/restart", () => {
			world.cluster.node("n2").neverReady = true;
		});
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(14);
		expect(failure.message).toContain("healthy: sick");
		expect(failure.problems).toEqual(["last words of n2"]);
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
	});

	it("that does not stop ends the roll, and is not killed", async () => {
		const world = operating();
		world.cluster.node("n2").neverStops = true;
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(14);
		expect(world.machines.log).toEqual(["stop n2"]);
		expect(world.cluster.lock).toBeNull();
	});

	it("whose connections do not leave is undrained, and the roll times out with all whole", async () => {
		const world = operating();
		world.cluster.connect(5, "n2");
		world.cluster.connect(9, "n3");
		world.cluster.node("n2").stubborn = 2;
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(12);
		expect(failure.message).toContain("2 connections");
		expect(world.machines.log).toEqual([]);
		await expectTidy(world);
	});

	it("whose connections do not leave is restarted all the same with --skip=drain", async () => {
		const world = operating();
		world.cluster.connect(5, "n2");
		world.cluster.node("n2").stubborn = 2;
		await rollingRestart(world.context, {
			...whole,
			nodes: ["n2"],
			skip: ["drain"],
		});
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
		expect(
			world.events.some(
				(event) =>
					event.type === "warning" &&
					event.message.includes("drain check skipped by name"),
			),
		).toBe(true);
	});
});

describe("a balancer that fails during the roll", () => {
	it("that goes on sending connections to a draining node ends the roll, undrained", async () => {
		const world = operating();
		world.balancer.deaf = true;
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(12);
		expect(world.machines.log).toEqual([]);
		await expectTidy(world);
	});

	it("that dies during the drain ends the roll, undrained", async () => {
		const world = operating();
		world.cluster.connect(3, "n2");
		world.cluster.connect(9, "n3");
		atStep(world, "n2/drain", () => {
			world.balancer.gone = true;
		});
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(20);
		expect(world.machines.log).toEqual([]);
		await expectTidy(world);
	});
});

describe("Ctrl-C during the roll", () => {
	it("at any step leaves every node up, nothing drained and no lock", async () => {
		const steps = await stepsOfOneRoll();
		expect(steps.length).toBeGreaterThan(20);
		for (const step of steps) {
			const world = operating();
			world.cluster.connect(10, "n2");
			atStep(world, step, () => world.abort.abort());
			const failure = await failureOf(rollingRestart(world.context, whole));
			expect(failure.exitCode, step).toBe(130);
			await expectTidy(world);
			for (const { id, running } of world.cluster.nodes.values())
				expect(running, `${id} after ${step}`).toBe(true);
			expect(world.cluster.quorumLosses, step).toBe(0);
		}
	});

	it("between stop and start lets the start happen", async () => {
		const world = operating();
		atStep(world, "n2/restart", () => world.abort.abort());
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(130);
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
		expect(failure.state).toContain("n2");
	});
});

describe("a roll that loses its lock", () => {
	it("touches nothing from then on", async () => {
		const world = operating();
		atStep(world, "n2/ready", () => {
			world.cluster.newestToken += 1;
			world.cluster.lock = {
				holder: "bob@ci:7",
				host: "ci",
				nonce: "",
				operation: "up",
				step: "",
				fencingToken: world.cluster.newestToken,
				acquiredAtMs: 0,
				expiresAtMs: 1e9,
			};
			world.cluster.node("n2").neverReady = true;
		});
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(14);
		expect(failure.message).toContain("lock was lost");
		expect(world.machines.log).toEqual(["stop n2", "start n2"]);
		expect(world.cluster.lock?.holder).toBe("bob@ci:7");
	});
});

describe("a lock that was lost unnoticed", () => {
	it("stops the roll before the stop, not after it", async () => {
		const world = operating();
		atStep(world, "n2/prove-again", () => {
			world.cluster.newestToken += 1;
			world.cluster.lock = {
				holder: "bob@ci:7",
				host: "ci",
				nonce: "",
				operation: "rolling-restart",
				step: "",
				fencingToken: world.cluster.newestToken,
				acquiredAtMs: 0,
				expiresAtMs: 1e9,
			};
		});
		const failure = await failureOf(rollingRestart(world.context, whole));
		expect(failure.exitCode).toBe(13);
		expect(failure.message).toContain("lock was lost");
		expect(failure.state).toContain("n2 was not stopped");
		expect(world.machines.log).toEqual([]);
		expect(world.cluster.lock?.holder).toBe("bob@ci:7");
	});

	it("that nobody can vouch for right before the stop ends the roll with its drain undone", async () => {
		const world = operating();
		const { engine } = world.context;
		let proven = false;
		atStep(world, "n2/prove-again", () => {
			proven = true;
		});
		const failure = await failureOf(
			rollingRestart(
				{
					...world.context,
					engine: {
						...engine,
						renewLock: async (...asked) => {
							if (!proven) return engine.renewLock(...asked);
							throw new OperatorError("timeout", "no answer");
						},
					},
				},
				whole,
			),
		);
		expect(failure.exitCode).toBe(13);
		expect(world.machines.log).toEqual([]);
		await expectTidy(world);
	});
});

async function stepsOfOneRoll(): Promise<string[]> {
	const { context, events } = operating();
	await rollingRestart(context, whole);
	return events.flatMap((event) =>
		event.type === "step-started" ? [event.step] : [],
	);
}
