import { describe, expect, it } from "vitest";
import type { RollOptions } from "../../src/operations/roll/options.js";
import {
	planRollingRestart,
	rollingRestart,
} from "../../src/operations/rolling-restart.js";
import { operating } from "./operating.js";

const whole: RollOptions = {
	nodes: [],
	skip: [],
	lockWaitMs: 0,
};

describe("a rolling restart", () => {
	it("restarts every node once, followers first and the leader last", async () => {
		const { cluster, context, machines } = operating();
		await rollingRestart(context, whole);
		expect(machines.log).toEqual([
			"stop n2",
			"start n2",
			"stop n3",
			"start n3",
			"stop n1",
			"start n1",
		]);
		expect(cluster.quorumLosses).toBe(0);
		expect(cluster.cut).toBe(0);
	});

	it("hands leadership over once, to a node that was restarted already", async () => {
		const { cluster, context } = operating();
		const report = await rollingRestart(context, whole);
		expect(cluster.transfers).toHaveLength(1);
		expect(["n2", "n3"]).toContain(cluster.leader);
		expect(report.transfers).toEqual([
			{ from: "n1", to: cluster.leader, durationMs: 40 },
		]);
		expect(report.leaderless).toEqual({ maxMs: 0, totalMs: 0 });
	});

	it("moves no connection twice but those of the first node", async () => {
		const { cluster, context } = operating();
		cluster.connect(60, "n1");
		cluster.connect(40, "n2");
		cluster.connect(50, "n3");
		const firstNodes = new Set(cluster.at("n2").map(({ id }) => id));
		const report = await rollingRestart(context, whole);
		expect(report.nodes[0]).toMatchObject({ node: "n2", connectionsMoved: 40 });
		for (const { id, moves } of cluster.connections)
			expect(moves).toBeLessThanOrEqual(firstNodes.has(id) ? 2 : 1);
	});

	it("restarts learners before voters", async () => {
		const { context, machines } = operating({
			n1: "voter",
			n2: "voter",
			n3: "voter",
			n4: "learner",
		});
		await rollingRestart(context, whole);
		expect(machines.log[0]).toBe("stop n4");
	});

	it("leaves nothing behind: no drain, no preference, no lock", async () => {
		const { balancer, cluster, context } = operating();
		await rollingRestart(context, whole);
		for (const id of cluster.nodes.keys())
			expect(cluster.isDraining(id)).toBe(false);
		expect(balancer.preferences.at(-1)).toEqual([]);
		expect(cluster.lock).toBeNull();
	});

	it("prefers nodes that are restarted already", async () => {
		const { balancer, context } = operating();
		await rollingRestart(context, whole);
		expect(new Set(balancer.preferences.map((nodes) => nodes.join()))).toEqual(
			new Set(["n2", "n2,n3", "n2,n3,n1", ""]),
		);
	});

	it("waits for the ready gate and the settle time before the next node", async () => {
		const { context, events } = operating();
		await rollingRestart(context, whole);
		const order = events.flatMap((event) =>
			event.type === "step-finished" ? [event.step] : [],
		);
		expect(order.indexOf("n2/admit")).toBeLessThan(order.indexOf("n3/prove"));
		const settled = events.find(
			(event) => event.type === "step-finished" && event.step === "n2/ready",
		);
		expect(settled).toMatchObject({
			note: expect.stringContaining("settled for 1000 ms"),
		});
	});

	it("shows by --dry-run the very steps that it then runs, and touches nothing", async () => {
		const dry = operating();
		const plan = await planRollingRestart(dry.context, whole);
		expect(dry.machines.log).toEqual([]);
		expect(dry.cluster.newestToken).toBe(0);
		const wet = operating();
		await rollingRestart(wet.context, whole);
		const run = wet.events.flatMap((event) =>
			event.type === "step-finished" ? [event.step] : [],
		);
		expect(plan.plan.map(({ id }) => id)).toEqual(run);
		expect(plan.plan.find(({ id }) => id === "n2/restart")?.cost).toBe(
			"no other may fail while it is down",
		);
	});

	it("shows its plan once, although it is made again under the lock", async () => {
		const { context, events } = operating();
		await rollingRestart(context, whole);
		expect(events.filter(({ type }) => type === "plan")).toHaveLength(1);
	});

	it("restarts only the nodes it is given", async () => {
		const { context, machines } = operating();
		await rollingRestart(context, { ...whole, nodes: ["n3"] });
		expect(machines.log).toEqual(["stop n3", "start n3"]);
	});

	it("may restart, alone, the one voter that is down", async () => {
		const { cluster, context } = operating();
		cluster.stop("n3");
		const report = await rollingRestart(context, { ...whole, nodes: ["n3"] });
		expect(cluster.node("n3").running).toBe(true);
		expect(report.nodes.map(({ node }) => node)).toEqual(["n3"]);
	});

	it("writes each node's configuration, readable by the operator alone", async () => {
		const { context, machines } = operating();
		await rollingRestart(context, whole);
		const file = machines.files.get("/state/n2/node.yaml");
		expect(file?.mode).toBe(0o600);
		expect(new TextDecoder().decode(file?.content)).toContain("node: n2");
	});

	it("measures what each node cost", async () => {
		const { context } = operating();
		const { nodes, durationMs } = await rollingRestart(context, whole);
		for (const { downtimeMs } of nodes) {
			expect(downtimeMs).toBeGreaterThan(300);
			expect(downtimeMs).toBeLessThan(durationMs);
		}
	});
});
