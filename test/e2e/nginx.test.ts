import { mkdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FrontCluster, lacks } from "./front-cluster.js";
import { expectMovedOnce, load } from "./front-load.js";
import { eventually } from "./local-cluster.js";

describe.skipIf(lacks("nginx"))("three real nodes behind nginx", () => {
	let front: FrontCluster;
	beforeAll(async () => {
		front = await FrontCluster.create({ kind: "nginx", portBase: 17_500 });
		await mkdir(front.path("conf.d"));
		await front.startFront();
		await front.cluster.succeed(["balancer", "apply"]);
		await front.cluster.succeed(["up"]);
	}, 400_000);
	afterAll(() => front?.dispose());

	const file = () => readFile(front.path("conf.d/raftctl.conf"), "utf8");

	it("is rolled without a failed request, and moves no WebSocket twice", async () => {
		const { traffic, subscribers } = await load(front);
		const report = await front.cluster.json(["rolling-restart", "--yes"]);
		await traffic.stop();
		expect(traffic.failures).toEqual([]);
		expect(report.nodes).toHaveLength(3);
		await expectMovedOnce(subscribers, traffic, report.nodes[0].node);
		expect(await file()).toMatch(/^# withdrawn:\n# preferred:$/m);
	}, 400_000);

	it("takes a drained node out of nginx's file, and puts it back", async () => {
		await front.cluster.succeed(["drain", "n2"]);
		expect(await file()).toContain("down; # n2");
		await front.cluster.succeed(["undrain", "n2"]);
		expect(await file()).not.toContain("down;");
	});

	it("puts a node back by itself when the operator dies", async () => {
		const { child, done } = front.cluster.start(["rolling-restart", "--yes"]);
		await eventually(
			async () => (await file()).includes(" down;"),
			"a withdrawn node",
		);
		child.kill("SIGKILL");
		await done;
		await eventually(
			async () => !(await file()).includes(" down;"),
			"the end of the lease on the host",
		);
		await eventually(
			async () =>
				(await front.cluster.run(["operation", "abort", "--yes"])).exitCode ===
				0,
			"the operation given up",
			60_000,
		);
	}, 400_000);

	it("refuses, with what to do, when nginx is gone", async () => {
		await front.stopFront();
		const refused = await front.cluster.run(["rolling-restart", "--yes"]);
		expect([11, 20]).toContain(refused.exitCode);
		expect(refused.stderr).toMatch(/nginx does not run on local/);
	});
});
