import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	startTraffic,
	type Traffic,
} from "../../src/operations/demo/traffic.js";
import { judgeEvents, lostOn } from "../../src/operations/demo/verification.js";
import { eventually, LocalCluster } from "./local-cluster.js";

/** A whole cluster of processes, rolled by the real command. */
describe("rolling-restart of three real nodes behind the balancer", () => {
	let cluster: LocalCluster;
	beforeAll(async () => {
		cluster = await LocalCluster.create({ portBase: 17_100, isBrisk: false });
		await cluster.succeed(["up"]);
	});
	afterAll(() => cluster?.dispose());

	const balancer = () => addressOfBalancer(cluster);
	const load = async (): Promise<Traffic> =>
		startTraffic({
			address: await balancer(),
			writers: 8,
			readers: 4,
			timeoutMs: 10_000,
			nowMs: () => performance.now(),
		});

	it("fails no request and loses no write", async () => {
		const traffic = await load();
		await eventually(
			async () => traffic.acknowledged.length > 100,
			"the first hundred writes",
		);
		const report = await cluster.json(["rolling-restart", "--yes"]);
		await traffic.stop();
		expect(traffic.failures).toEqual([]);
		expect(report.nodes).toHaveLength(3);
		expect(report.transfers).toHaveLength(1);
		await expectNothingLost(cluster, traffic);
	});

	it("rolls the leader last", async () => {
		const before = await cluster.json(["status"]);
		const report = await cluster.json(["rolling-restart", "--yes"]);
		expect(report.nodes.at(-1).node).toBe(before.leader);
	});

	it("shows with --dry-run the same steps and touches nothing", async () => {
		const before = await cluster.json(["status"]);
		const planned = await cluster.json(["rolling-restart", "--dry-run"]);
		const after = await cluster.json(["status"]);
		expect(planned.plan.length).toBeGreaterThan(9);
		expectSameProcesses(before, after);
		expect(isFree(after.lock)).toBe(true);
	});

	it("lets only one of two rolls at once act, and names the holder to the other", async () => {
		const [first, second] = await Promise.all([
			cluster.run(["rolling-restart", "--yes", "--json"]),
			cluster.run(["rolling-restart", "--yes", "--json"]),
		]);
		const codes = [first.exitCode, second.exitCode].sort();
		expect(codes).toEqual([0, 13]);
		const loser = first.exitCode === 13 ? first : second;
		expect(JSON.parse(loser.stdout).error.message).toMatch(/@.*:\d+/);
	});

	it.each([300, 1200, 2500, 4000])(
		"leaves nothing drained and nothing locked when Ctrl-C comes after %i ms",
		async (delayMs) => {
			const { child, done } = cluster.start(["rolling-restart", "--yes"]);
			setTimeout(() => child.kill("SIGINT"), delayMs);
			const { exitCode } = await done;
			// Null: the signal ended a process that had not come so far as to listen to it, nor to anything else.
			expect([130, null]).toContain(exitCode);
			await giveUp(cluster);
			await expectWhole(cluster);
		},
	);

	it("ends at once at the second Ctrl-C, and what it leaves mends itself", async () => {
		const { child, done } = cluster.start(["rolling-restart", "--yes"]);
		let said = "";
		child.stderr?.on("data", (chunk) => {
			said += chunk;
		});
		await eventually(
			async () => /announce that it leaves/.test(said),
			"the first drain",
		);
		child.kill("SIGINT");
		await eventually(
			async () => /Once more ends it now/.test(said),
			"the first Ctrl-C",
		);
		child.kill("SIGINT");
		expect((await done).exitCode).toBe(130);
		await cluster.succeed(["up"]);
		await giveUp(cluster);
		await expectWhole(cluster);
	}, 120_000);

	it("refuses, before anything is touched, when a voter is down, and names it", async () => {
		await cluster.signal("n2", "SIGKILL");
		const before = await cluster.json(["status"]);
		const refused = await cluster.run(["rolling-restart", "--yes", "--json"]);
		expect(refused.exitCode).toBe(11);
		expect(refused.stdout).toContain("n2");
		const after = await cluster.json(["status"]);
		expectSameProcesses(before, after);
		await cluster.succeed(["up"]);
		await expectWhole(cluster);
	});

	it("stops, and touches no other node, when a node dies during the roll", async () => {
		const before: Report = await cluster.json(["status"]);
		const { leader } = before;
		const { child, done } = cluster.start(["rolling-restart", "--yes"]);
		let said = "";
		child.stderr?.on("data", (chunk) => {
			said += chunk;
		});
		const inHand = await eventually(
			async () => /(n\d): announce that it leaves/.exec(said)?.[1],
			"the first drain",
		);
		await cluster.signal(leader, "SIGKILL");
		const { exitCode, stderr } = await done;
		expect([11, 12, 14, 20]).toContain(exitCode);
		expect(stderr).toMatch(/Next:/);
		const after: Report = await cluster.json(["status"]);
		const others = ({ nodes }: Report) => ({
			leader,
			nodes: nodes.filter(({ id }) => id !== leader && id !== inHand),
		});
		expectSameProcesses(others(before), others(after));
		await cluster.succeed(["up"]);
		await giveUp(cluster);
		await expectWhole(cluster);
	});

	it("refuses when the balancer is gone", async () => {
		await cluster.signal("balancer", "SIGKILL");
		const refused = await cluster.run(["rolling-restart", "--yes", "--json"]);
		expect([11, 20]).toContain(refused.exitCode);
		expect(refused.stdout).toMatch(/balancer/);
		await cluster.succeed(["up"]);
		await expectWhole(cluster);
	});

	it("still rolls after all of that", async () => {
		await cluster.succeed(["rolling-restart", "--yes"]);
		await expectWhole(cluster);
	});
});

/** Each has a cluster of its own, as what they show is what time mends. */
describe.concurrent("a rolling-restart that is killed", () => {
	it.for([
		[1000, 17_200],
		[3000, 17_300],
	] as const)(
		"leaves nothing drained and nothing locked after %i ms",
		{ timeout: 120_000 },
		async ([delayMs, portBase], { onTestFinished }) => {
			const cluster = await LocalCluster.create({ portBase, isBrisk: false });
			onTestFinished(() => cluster.dispose());
			await cluster.succeed(["up"]);
			const { child, done } = cluster.start(["rolling-restart", "--yes"]);
			setTimeout(() => child.kill("SIGKILL"), delayMs);
			await done;
			await cluster.succeed(["up"]);
			await giveUp(cluster);
			await eventually(
				async () => {
					const report = await cluster.json(["status"]);
					return report.healthy && isFree(report.lock);
				},
				"drain and lock running out",
				90_000,
			);
		},
	);
});

describe("the demo's judge", () => {
	it("counts what is missing and what came twice or late", () => {
		const acknowledged = new Set([2, 3, 5]);
		expect(judgeEvents([2, 3, 5], acknowledged)).toEqual({
			missed: 0,
			doubled: 0,
		});
		expect(judgeEvents([2, 5], acknowledged)).toEqual({
			missed: 1,
			doubled: 0,
		});
		expect(judgeEvents([2, 3, 3, 5], acknowledged)).toEqual({
			missed: 0,
			doubled: 1,
		});
		expect(judgeEvents([3, 2, 5], acknowledged)).toEqual({
			missed: 0,
			doubled: 1,
		});
	});
});

/** Nobody operates: the lock was released, or its holder is gone and it has run out. */
function isFree(lock: { expiresAtMs: number } | null): boolean {
	return lock === null || lock.expiresAtMs <= Date.now();
}

interface Report {
	readonly leader: string;
	readonly nodes: readonly { id: string; uptimeMs: number | null }[];
}

/** Nobody was restarted, started or stopped between the two reports. */
function expectSameProcesses(before: Report, after: Report): void {
	for (const [at, { id, uptimeMs }] of before.nodes.entries()) {
		const now = after.nodes[at]?.uptimeMs ?? null;
		if (uptimeMs === null) expect(now, id).toBeNull();
		else expect(now, id).toBeGreaterThan(uptimeMs);
	}
}

async function addressOfBalancer(cluster: LocalCluster): Promise<string> {
	const { inventory } = await cluster.json(["validate"]);
	return inventory.balancer.listen;
}

/** What was ended half-way is unfinished until somebody takes it up; what had touched nothing is not. */
async function giveUp(cluster: LocalCluster): Promise<void> {
	const { exitCode } = await cluster.run(["operation", "abort", "--yes"]);
	expect([0, 11]).toContain(exitCode);
}

async function expectWhole(cluster: LocalCluster): Promise<void> {
	await eventually(
		async () => {
			const report = await cluster.json(["status"]);
			const drained = report.nodes.some(
				(node: { draining: boolean }) => node.draining,
			);
			return report.healthy && !drained && isFree(report.lock);
		},
		"a healthy cluster, nothing drained, nothing locked",
		60_000,
	);
}

async function expectNothingLost(
	cluster: LocalCluster,
	traffic: Traffic,
): Promise<void> {
	const { nodes } = (await cluster.json(["validate"])).inventory;
	const minIndex = Math.max(...traffic.acknowledged.map(({ index }) => index));
	for (const { client } of nodes) {
		const options = { minIndex, timeoutMs: 10_000 };
		expect(await lostOn(client, traffic.acknowledged, options)).toEqual([]);
	}
}
