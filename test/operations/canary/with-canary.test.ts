import { describe, expect, it } from "vitest";
import type { Budgets } from "../../../src/operations/canary/budgets.js";
import type { OperationCost } from "../../../src/operations/cost/cost.js";
import { parseRecord } from "../../../src/operations/journal/record.js";
import type { RollOptions } from "../../../src/operations/roll/options.js";
import { rollingRestart } from "../../../src/operations/rolling-restart.js";
import { takeUpUnfinished } from "../../../src/operations/taking-up.js";
import { FakeFront } from "../../fakes/fake-caller.js";
import { failureOf, type Operating, operating } from "../operating.js";

const unlimited: Budgets = {
	maxFailed: null,
	maxStallMs: null,
	maxLeaderlessMs: null,
};

interface Watched extends Operating {
	readonly front: FakeFront;
	readonly options: RollOptions;
	cost(): OperationCost;
}

function watched(budgets: Partial<Budgets> = {}): Watched {
	const world = operating();
	const front = new FakeFront(world.cluster);
	const wish = { budgets: { ...unlimited, ...budgets } };
	return Object.assign(world, {
		front,
		options: {
			...{ nodes: [], skip: [], lockWaitMs: 0 },
			canary: { wish, openCaller: front.open },
		},
		cost: () => {
			const event = world.events.findLast(({ type }) => type === "cost");
			if (event?.type !== "cost") throw new Error("no cost was told");
			return event.cost;
		},
	});
}

/** Does this once, when that step begins. */
function when(world: Operating, step: string, act: () => void): void {
	let done = false;
	world.onEvent = (event) => {
		if (done || event.type !== "step-started" || event.step !== step) return;
		done = true;
		act();
	};
}

const refusal = { status: 503, body: "no-leader" };

describe("an operation with a canary", () => {
	it("goes as without one, and reports that nothing failed", async () => {
		const { context, options, machines, front, cluster } = watched();
		cluster.connect(12, "n2");
		const report = await rollingRestart(context, options);
		const { cost } = report;
		if (cost === null) throw new Error("it has no cost");
		expect(machines.log).toHaveLength(6);
		expect(cost).toMatchObject({
			...{ failedRequests: 0, slowestWriteMs: 2, leaderlessMaxMs: 0 },
			overBudget: false,
		});
		expect(cost.requests).toBeGreaterThan(100);
		const { nodes } = report;
		const moved = nodes.map(({ connectionsMoved }) => connectionsMoved);
		expect(cost.connectionsMoved).toBe(moved.reduce((a, b) => a + b));
		expect(cost.connectionsMoved).toBeGreaterThanOrEqual(12);
		expect(cost.downtime.map(({ node, back }) => [node, back])).toEqual([
			...[
				["n3", true],
				["n2", true],
				["n1", true],
			],
		]);
		expect(cost.canary).toMatchObject({ lostWrites: [], failures: [] });
		expect(front.keys.size).toBe(0);
		expect(front.opened).toEqual([["127.0.0.1:7000"], ["127.0.0.1:7000"]]);
	});

	it("sends each request once, one of its kind at a time, at a steady pace", async () => {
		const { context, options, front, clock } = watched();
		const beganAtMs = clock.now();
		await rollingRestart(context, options);
		const bodies = front.calls.map(({ body }) => body ?? "");
		const writes = bodies.filter((body) => body.includes('"put"'));
		expect(new Set(writes).size).toBe(writes.length);
		const tookMs = clock.now() - beganAtMs;
		expect(writes.length).toBeLessThanOrEqual(tookMs / 50 + 2);
		expect(writes.length).toBeGreaterThan(tookMs / 100);
	});

	it("asks the nodes themselves where there is no balancer", async () => {
		const { context, options, front } = watched();
		const inventory = { ...context.inventory, balancer: null };
		const direct = { ...context, inventory, balancer: null };
		await rollingRestart(direct, options);
		expect(front.opened[0]).toEqual(["n1:2", "n2:2", "n3:2"]);
	});

	it("is refused, with nothing touched, when the canary gets no answer", async () => {
		const { context, options, machines, front, cluster } = watched();
		front.answer = () => ({ status: 502, body: "bad gateway" });
		const error = await failureOf(rollingRestart(context, options));
		expect(error.kind).toBe("refused");
		expect(error.message).toContain("127.0.0.1:7000 (write: 502 bad gateway)");
		expect(machines.log).toEqual([]);
		expect(cluster.lockNow()).toBeNull();
		expect(cluster.operations[0]?.unfinished).toBe(false);
	});

	it("is refused before it asks anybody when it is not known what to ask a machine of one's own", async () => {
		const { context, options, events } = watched();
		const inventory = { ...context.inventory, app: "/app.js" };
		const own = { ...context, inventory };
		const error = await failureOf(rollingRestart(own, options));
		expect(error.kind).toBe("config");
		expect(events.filter(({ type }) => type === "plan")).toEqual([]);
	});

	it("warns when its key cannot be deleted", async () => {
		const { context, options, front, events } = watched();
		front.answer = ({ body }) => (body?.includes("delete") ? refusal : null);
		await rollingRestart(context, options);
		expect(events).toContainEqual({
			...{ type: "warning", node: null },
			message: expect.stringMatching(
				/raftctl\/canary\/\w+ could not be deleted: 503/,
			),
		});
	});

	it("measures leaderless time and downtime also without a canary", async () => {
		const world = operating();
		await rollingRestart(world.context, {
			...{ nodes: [], skip: [], lockWaitMs: 0 },
		});
		const told = world.events.findLast(({ type }) => type === "cost");
		expect(told).toMatchObject({
			cost: { requests: null, canary: null, budgets: [], overBudget: false },
		});
	});
});

describe("a budget that is exceeded", () => {
	it("ends the operation before the next node is stopped, with the node in hand back in service", async () => {
		const world = watched({ maxFailed: 0 });
		const { context, options, machines, front, cluster } = world;
		when(world, "n2/ready", () => {
			let left = 3;
			front.answer = () => (left-- > 0 ? refusal : null);
		});
		const error = await failureOf(rollingRestart(context, options));
		expect(error.exitCode).toBe(14);
		expect(error.message).toMatch(
			/^3 requests of the canary failed from \S+ on, 0 may \(--max-failed\)$/,
		);
		expect(error.problems[0]).toContain("503 no-leader");
		expect(error.state).toContain("n2");
		expect(error.next).toBe("raftctl operation resume -c cluster.yaml");
		expect(machines.log).toEqual(["stop n2", "start n2"]);
		expect(cluster.isReady("n2")).toBe(true);
		expect(cluster.isDraining("n2")).toBe(false);
		expect(cluster.lockNow()).toBeNull();
		expect(world.cost().failedRequests).toBe(3);
		expect(front.keys.size).toBe(0);
	});

	it("ends it before a stop although that node's drain has begun, and undoes the drain", async () => {
		const world = watched({ maxFailed: 0 });
		const { context, options, machines, front, cluster } = world;
		when(world, "n2/announce", () => {
			let left = 1;
			front.answer = () => (left-- > 0 ? refusal : null);
		});
		const error = await failureOf(rollingRestart(context, options));
		expect(error.message).toContain("--max-failed");
		expect(machines.log).toEqual([]);
		expect(cluster.isDraining("n2")).toBe(false);
	});

	it("is --max-stall when no write goes through for longer, also while that goes on", async () => {
		const world = watched({ maxStallMs: 700 });
		const { context, options, machines, front } = world;
		when(world, "n2/ready", () => {
			front.answer = ({ body }) => (body?.includes("put") ? refusal : null);
		});
		const error = await failureOf(rollingRestart(context, options));
		expect(error.message).toMatch(
			/^no write of the canary went through for \d{4} ms from \S+ on, 700 ms/,
		);
		expect(machines.log).toEqual(["stop n2", "start n2"]);
	});

	it("is --max-leaderless when the nodes count more, whatever the canary saw", async () => {
		const world = watched({ maxLeaderlessMs: 900 });
		const { context, options, machines, cluster } = world;
		when(world, "n2/ready", () => {
			cluster.leaderlessMs = 950;
		});
		const error = await failureOf(rollingRestart(context, options));
		expect(error.message).toBe(
			"a node was without a leader for 950 ms, 900 ms are allowed (--max-leaderless)",
		);
		expect(machines.log).toEqual(["stop n2", "start n2"]);
		expect(world.cost().leaderlessMaxMs).toBe(950);
	});

	it("during the last node ends nothing, and is told in the report", async () => {
		const world = watched({ maxFailed: 0 });
		const { context, options, machines, front } = world;
		when(world, "n1/ready", () => {
			let left = 1;
			front.answer = () => (left-- > 0 ? refusal : null);
		});
		const report = await rollingRestart(context, options);
		expect(machines.log).toHaveLength(6);
		expect(report).toMatchObject({ cost: { overBudget: true } });
	});

	it("is in the journal with what it did cost, and holds whoever resumes, who counts anew", async () => {
		const world = watched({ maxFailed: 0 });
		const { context, options, machines, front, cluster } = world;
		when(world, "n2/ready", () => {
			let left = 1;
			front.answer = () => (left-- > 0 ? refusal : null);
		});
		await failureOf(rollingRestart(context, options));
		const [stored] = cluster.operations;
		const record = stored && parseRecord(stored);
		expect(record).toMatchObject({
			...{ state: "stopped", canary: options.canary?.wish },
			report: { cost: { failedRequests: 1, overBudget: true } },
		});
		front.answer = () => null;
		await takeUpUnfinished(context, {
			...{ id: null, as: "resume", lockWaitMs: 0 },
			canary: { openCaller: front.open },
		});
		expect(machines.log.filter((line) => line.startsWith("stop"))).toEqual([
			...["stop n2", "stop n3", "stop n1"],
		]);
		expect(world.cost()).toMatchObject({
			budgets: [{ budget: "max-failed", limit: 0, exceeded: false }],
		});
		expect(world.cost().requests).toBeGreaterThan(0);
	});
});

describe("the record of an operation", () => {
	it("of nine nodes with a canary whose requests fail is one that the cluster takes", async () => {
		const names = Array.from({ length: 9 }, (_, at) => `n${at + 1}`);
		const { context, cluster } = operating(
			Object.fromEntries(names.map((id) => [id, "voter" as const])),
		);
		const front = new FakeFront(cluster);
		let turn = 0;
		front.answer = () =>
			++turn > 2 && turn % 10 === 0
				? { status: 503, body: "x".repeat(1_000) }
				: null;
		const budgets = { ...unlimited, maxFailed: 1_000_000 };
		await rollingRestart(context, {
			...{ nodes: [], skip: [], lockWaitMs: 0 },
			canary: { wish: { budgets }, openCaller: front.open },
		});
		const { record = "" } = cluster.operations[0] ?? {};
		expect(JSON.parse(record).report.cost.failedRequests).toBeGreaterThan(10);
		expect(Buffer.byteLength(record)).toBeLessThan(14 * 1024);
	}, 30_000);
});

describe("a write of the canary that is lost", () => {
	it("ends the operation before the next node, without any budget", async () => {
		const world = watched();
		const { context, options, machines, front } = world;
		when(world, "n2/ready", () => {
			let left = 1;
			front.answer = ({ body }) =>
				body?.includes("get") && left-- > 0
					? { status: 200, body: '{"answer":{"found":false}}' }
					: null;
		});
		const error = await failureOf(rollingRestart(context, options));
		expect(error.message).toMatch(
			/^the cluster lost a write: write \d+ was acknowledged/,
		);
		expect(error.exitCode).toBe(14);
		expect(machines.log).toEqual(["stop n2", "start n2"]);
		expect(world.cost()).toMatchObject({ overBudget: true });
	});
});
