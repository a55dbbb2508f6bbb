import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FrontCluster, lacks } from "./front-cluster.js";
import { expectUnnoticedRoll, giveUp } from "./front-load.js";
import { eventually } from "./local-cluster.js";

describe.skipIf(lacks("nginx"))("three real nodes behind nginx", () => {
	let front: FrontCluster;
	beforeAll(async () => {
		front = await FrontCluster.started({ kind: "nginx", portBase: 17_500 });
	}, 400_000);
	afterAll(() => front?.dispose());

	const file = () => readFile(front.path("conf.d/raftctl.conf"), "utf8");

	it("is rolled without a failed request, and moves no WebSocket twice", async () => {
		await expectUnnoticedRoll(front);
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
		await giveUp(front);
	}, 400_000);

	it("refuses, with what to do, when nginx is gone", async () => {
		await front.stopFront();
		const refused = await front.cluster.run(["rolling-restart", "--yes"]);
		expect([11, 20]).toContain(refused.exitCode);
		expect(refused.stderr).toMatch(/nginx does not run on local/);
	});
});
