import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FrontCluster, lacks } from "./front-cluster.js";
import { expectUnnoticedRoll, giveUp, load } from "./front-load.js";
import { eventually } from "./local-cluster.js";

describe.skipIf(lacks("haproxy"))("three real nodes behind HAProxy", () => {
	let front: FrontCluster;
	beforeAll(async () => {
		front = await FrontCluster.started({ kind: "haproxy", portBase: 17_400 });
	}, 400_000);
	afterAll(() => front?.dispose());

	it("is rolled without a failed request, and moves no WebSocket twice", async () => {
		await expectUnnoticedRoll(front);
	}, 400_000);

	it("loses nothing when HAProxy is reloaded in the middle of a roll", async () => {
		const { traffic, subscribers } = await load(front);
		const { child, done } = front.cluster.start(["rolling-restart", "--yes"]);
		let said = "";
		child.stderr?.on("data", (chunk) => {
			said += chunk;
		});
		for (const step of [/announce that it leaves/, /done .*take it back/]) {
			await eventually(async () => step.test(said), `${step}`);
			await front.reloadByHand();
		}
		expect((await done).exitCode).toBe(0);
		await traffic.stop();
		expect(traffic.failures).toEqual([]);
		await subscribers.close();
	}, 400_000);

	it("shows a drain as HAProxy has it, and its end", async () => {
		await front.cluster.succeed(["drain", "n2"]);
		const drained = await front.cluster.json(["status"]);
		expect(stateOf(drained, "n2")).toBe("drain");
		await front.cluster.succeed(["undrain", "n2"]);
		const again = await front.cluster.json(["status"]);
		expect(stateOf(again, "n2")).toBe("up");
	});

	it("leaves nothing steered when the operator dies", async () => {
		const { child, done } = front.cluster.start(["rolling-restart", "--yes"]);
		let said = "";
		child.stderr?.on("data", (chunk) => {
			said += chunk;
		});
		await eventually(
			async () => /done .*take it back/.test(said),
			"the first node's end",
		);
		child.kill("SIGKILL");
		await done;
		await eventually(
			async () => !(await front.say("show table")).includes("used:1"),
			"the end of the lease in HAProxy",
		);
		await giveUp(front);
	}, 400_000);

	it("refuses, with what to do, when HAProxy is gone", async () => {
		await front.stopFront();
		const refused = await front.cluster.run([
			"rolling-restart",
			"--yes",
			"--json",
		]);
		expect([11, 20]).toContain(refused.exitCode);
		expect(refused.stdout).toMatch(/haproxy\.sock/i);
		const check = await front.cluster.run(["balancer", "check"]);
		expect(check.exitCode).toBe(10);
		expect(check.stdout).toMatch(/start HAProxy/);
	});

	it("says so when the runtime socket is read-only", async () => {
		await front.writeBase("operator");
		await front.startFront();
		await front.cluster.succeed(["balancer", "apply"]);
		const check = await front.cluster.run(["balancer", "check"]);
		expect(check.exitCode).toBe(10);
		expect(check.stdout).toContain("level operator");
	});
});

function stateOf(
	report: { balancer: { backends: { node: string; state: string }[] } },
	node: string,
): string | undefined {
	return report.balancer.backends.find((one) => one.node === node)?.state;
}
