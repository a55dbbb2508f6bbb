import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Engine, NodeRef } from "../../../src/cluster/engine.js";
import { OperatorError } from "../../../src/errors.js";
import type { OperationContext } from "../../../src/operations/context.js";
import { recoverCluster } from "../../../src/operations/recover/recover-cluster.js";
import { runOperation } from "../../../src/operations/run-operation.js";
import { restore } from "../../../src/operations/snapshots/restore.js";
import {
	deadHolderWaitMs,
	takeUpUnfinished,
} from "../../../src/operations/taking-up.js";
import { failureOf } from "../operating.js";
import { asideOf, DisasterGround } from "./disaster-ground.js";
import { boundariesOf, killedAt } from "./killing.js";

/** Some fifteen runs, each killed at another boundary. */
const limitMs = 180_000;
const again = { id: null, lockWaitMs: deadHolderWaitMs };
const told = async () => undefined;
const recovering = (context: OperationContext) =>
	recoverCluster(context, { nodes: [] }, { lockWaitMs: 0, told });

let ground: DisasterGround;
beforeEach(() => {
	ground = new DisasterGround();
	ground.snapshot("/backup.snapshot");
});
afterEach(() => {
	expect(ground.sins).toEqual([]);
	ground.dispose();
});

function expectOldCluster(running: readonly string[]): void {
	expect([...ground.running].sort()).toEqual(running);
	expect(ground.clusterFile).toContain("id: orders-old # by init");
	for (const id of ["n1", "n2", "n3"]) {
		expect(ground.state(id)).toMatchObject({ clusterId: "orders-old" });
		expect(asideOf(ground, id)).toBeNull();
	}
}

/** n2 and n3 stand in a rack. While it is away nobody reaches its host; who is away is up to the test. */
function racked(context: OperationContext, rack: Rack): OperationContext {
	const { inventory, machines } = context;
	const nodes = inventory.nodes.map((node) =>
		node.id === "n1" ? node : { ...node, host: "rack" },
	);
	const requireReach = (name: string) => {
		if (name === "rack" && rack.isAway)
			throw new OperatorError("unreachable", "rack does not answer");
	};
	return {
		...context,
		inventory: { ...inventory, nodes },
		machines: {
			async host(name) {
				requireReach(name);
				return machines.host(name);
			},
			async service(spec) {
				const service = await machines.service(spec);
				const state = async () => {
					requireReach(spec.host);
					return service.state();
				};
				return { ...service, state };
			},
		},
	};
}

interface Rack {
	isAway: boolean;
}

describe("lost nodes that come back while a recovery is under way", () => {
	let rack: Rack;
	const work = (context: OperationContext) => recovering(racked(context, rack));
	const takenUp = (as: "resume" | "abort") =>
		takeUpUnfinished(racked(ground.context(), rack), { ...again, as });
	const returns = () => {
		rack.isAway = false;
		for (const id of ["n2", "n3"]) ground.start(id);
	};
	const away = () => {
		rack = { isAway: true };
		ground.start("n1");
	};
	beforeEach(away);

	it(
		"and elect a leader keep it from being resumed, at any step; abort leaves all of them serving",
		async () => {
			const boundaries = await boundariesOf(ground, work);
			const start = boundaries.indexOf("step-started cluster/start");
			expect(start).toBeGreaterThan(8);
			for (const boundary of boundaries.slice(0, start)) {
				ground.dispose();
				ground = new DisasterGround();
				away();
				await killedAt(ground, work, boundary);
				returns();
				const failure = await failureOf(takenUp("resume"));
				expect(failure.message).toMatch(/has a quorum, led by n[12]/);
				expect(failure.next).toContain("operation abort");
				await takenUp("abort");
				expect(ground.sins).toEqual([]);
				expectOldCluster(["n1", "n2", "n3"]);
			}
		},
		limitMs,
	);

	it.each(["n1/stop", "cluster/export", "n1/restore", "cluster/config"])(
		"stop it behind %s, though nobody was killed",
		async (step) => {
			ground.onEvent = (event) => {
				if (event.type === "step-finished" && event.step === step) returns();
			};
			const failure = await failureOf(work(ground.context()));
			expect(failure.message).toMatch(/has a quorum, led by n2/);
			expect(failure.next).toContain("operation abort");
			await takenUp("abort");
			expectOldCluster(["n1", "n2", "n3"]);
		},
	);

	it("keep it from going on, too, when they run and cannot be asked", async () => {
		await killedAt(ground, work, "step-finished cluster/export");
		returns();
		const context = racked(ground.context(), rack);
		const failure = await failureOf(
			takeUpUnfinished(silenced(context, ["n2", "n3"]), {
				...{ ...again, as: "resume" },
			}),
		);
		expect(failure.message).toContain("may have a quorum");
		expect(failure.problems).toHaveLength(2);
	});
});

/** The admin ports of these nodes let nobody in. */
function silenced(
	context: OperationContext,
	ids: readonly string[],
	error = new OperatorError("unreachable", "it does not answer"),
): OperationContext {
	const { status } = context.engine;
	const engine = {
		status: async (node: NodeRef, options: never) => {
			if (ids.includes(node.id)) throw error;
			return status(node, options);
		},
	} as unknown as Engine;
	return { ...context, engine };
}

describe("a recovery where nodes run that do not answer", () => {
	const all = ["n1", "n2", "n3"];

	it("is refused while they could be a quorum, and names them", async () => {
		for (const id of ["n1", "n2"]) ground.start(id);
		const failure = await failureOf(
			recovering(silenced(ground.context(), all)),
		);
		expect(failure).toMatchObject({
			...{ kind: "refused", state: "nothing was touched" },
			message: expect.stringContaining("may have a quorum"),
			next: expect.stringContaining("stop them by hand"),
		});
		expect(failure.problems).toEqual([
			expect.stringMatching(/^n1 runs, as process 1, and does not answer/),
			expect.stringMatching(/^n2 runs, as process 1, and does not answer/),
		]);
		expectOldCluster(["n1", "n2"]);
	});

	it("is refused, too, where they answer and let nobody in, though no host can be asked", async () => {
		for (const id of ["n2", "n3"]) ground.start(id);
		const lasting = { isLasting: true };
		const failure = await failureOf(
			recovering(
				silenced(
					racked(ground.context(), { isAway: true }),
					["n2", "n3"],
					new OperatorError("unreachable", "the token is old", lasting),
				),
			),
		);
		expect(failure.problems).toEqual(
			["n2", "n3"].map(() => expect.stringContaining("the token is old")),
		);
		expectOldCluster(["n2", "n3"]);
	});

	it("is refused while one that answers follows a leader that cannot be asked", async () => {
		for (const id of ["n1", "n2"]) ground.start(id);
		const context = silenced(racked(ground.context(), { isAway: true }), [
			"n2",
			"n3",
		]);
		const status = context.engine.status;
		const engine = {
			status: async (...given: Parameters<Engine["status"]>) => ({
				...(await status(...given)),
				...{ role: "follower", leader: "n2" },
			}),
		} as unknown as Engine;
		const failure = await failureOf(recovering({ ...context, engine }));
		expect(failure.problems).toEqual(["n1 follows n2"]);
		expectOldCluster(["n1", "n2"]);
	});

	it("goes on once they were stopped by hand, and where they are too few", async () => {
		for (const id of ["n1", "n2"]) ground.start(id);
		ground.running.delete("n2");
		await recovering(silencedUntil(ground.context(), ["n1", "n2"], "n1/stop"));
		expect([...ground.running]).toEqual(["n2", "n3"]);
		expect(ground.clusterFile).not.toContain("id: orders-old");
	});

	/** They answer again from this step on: what is started must be seen to come. */
	function silencedUntil(
		context: OperationContext,
		ids: readonly string[],
		step: string,
	): OperationContext {
		const mute = new Set(ids);
		ground.onEvent = (event) => {
			if (event.type === "step-finished" && event.step === step) mute.clear();
		};
		const { status } = context.engine;
		const engine = {
			status: async (node: NodeRef, options: never) => {
				if (mute.has(node.id))
					throw new OperatorError("unreachable", "it does not answer");
				return status(node, options);
			},
		} as unknown as Engine;
		return { ...context, engine };
	}
});

describe("a restore beside nodes whose hosts do not answer", () => {
	const wish = { file: "/backup.snapshot", nodes: ["n1"], erase: true };
	const restoring = (context: OperationContext) =>
		runOperation(
			racked(context, { isAway: true }),
			restore({ ...wish, foreign: null }),
			{ lockWaitMs: 0 },
		);

	it("is refused while they serve", async () => {
		for (const id of ["n2", "n3"]) ground.start(id);
		const failure = await failureOf(restoring(ground.context()));
		expect(failure).toMatchObject({
			...{ kind: "refused", state: "nothing was touched" },
			next: expect.stringContaining("by hand"),
		});
		expect(failure.problems).toEqual([
			expect.stringMatching(/as a node of orders-old$/),
			expect.stringMatching(/as a node of orders-old$/),
		]);
		expectOldCluster(["n2", "n3"]);
	});

	it("is refused where one answers and lets nobody in", async () => {
		const lasting = { isLasting: true };
		const error = new OperatorError("unreachable", "expired", lasting);
		const failure = await failureOf(
			restoring(silenced(ground.context(), ["n3"], error)),
		);
		expect(failure.problems).toEqual([expect.stringContaining("expired")]);
		expectOldCluster([]);
	});

	it("is not resumed once they serve, and is given up", async () => {
		await killedAt(ground, restoring, "step-finished n1/restore");
		for (const id of ["n2", "n3"]) ground.start(id);
		const rack = { isAway: true };
		const failure = await failureOf(
			takeUpUnfinished(racked(ground.context(), rack), {
				...{ ...again, as: "resume" },
			}),
		);
		expect(failure.message).toContain("the cluster is not down");
		await takeUpUnfinished(racked(ground.context(), rack), {
			...{ ...again, as: "abort" },
		});
		expectOldCluster(["n2", "n3"]);
	});

	it("goes on where nobody answers", async () => {
		await restoring(ground.context());
		expect([...ground.running]).toEqual(["n1"]);
	});
});
