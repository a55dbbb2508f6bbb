import { describe, expect, it } from "vitest";
import { status } from "../../src/operations/status.js";
import { operating } from "./operating.js";

describe("status", () => {
	it("of a healthy cluster has no problems and says what each node may do", async () => {
		const { context } = operating();
		const report = await status(context);
		expect(report).toMatchObject({
			leader: "n1",
			healthy: true,
			problems: [],
			disagreements: [],
			quorum: { needed: 2, failureTolerance: 1 },
		});
		expect(report.nodes.map(({ safeToStop }) => safeToStop.safe)).toEqual([
			true,
			true,
			true,
		]);
	});

	it("of a cluster with a dead node says who is dead and that no other may stop", async () => {
		const { cluster, context } = operating();
		cluster.stop("n3");
		const report = await status(context);
		expect(report.healthy).toBe(false);
		expect(report.problems).toContainEqual(
			expect.stringContaining("n3 does not answer"),
		);
		expect(report.quorum.failureTolerance).toBe(0);
		const [n1, n2, n3] = report.nodes;
		expect(n1?.safeToStop.safe).toBe(false);
		expect(n2?.safeToStop.safe).toBe(false);
		expect(n3).toMatchObject({ reachable: false, role: null, lag: null });
	});

	it("names each alarm once, whoever told it", async () => {
		const { cluster, context } = operating();
		cluster.alarms = [
			{
				...{ kind: "state-differs", node: "n2" },
				message: "its state at index 1024 is another",
			},
		];
		const report = await status(context);
		expect(report.healthy).toBe(false);
		expect(report.problems).toEqual([
			"alarm state-differs about n2: its state at index 1024 is another",
		]);
	});

	it("tells each problem once", async () => {
		const { cluster, context } = operating();
		cluster.stop("n3");
		cluster.node("n2").neverReady = true;
		const { problems } = await status(context);
		expect(new Set(problems).size).toBe(problems.length);
		expect(
			problems.filter((problem) => problem.startsWith("n2 ")),
		).toHaveLength(1);
		expect(
			problems.filter((problem) => problem.startsWith("n3 ")),
		).toHaveLength(1);
	});

	it("without a quorum names no leader, and every silent node", async () => {
		const { cluster, context } = operating();
		cluster.stop("n1");
		cluster.stop("n2");
		const report = await status(context);
		expect(report.leader).toBeNull();
		expect(report.problems.join()).toMatch(/no leader.*n1.*n2/);
	});

	it("shows a drain, its rest, and a balancer that is gone", async () => {
		const { balancer, clock, cluster, context } = operating();
		cluster.node("n2").drain.until = clock.now() + 30_000;
		balancer.gone = true;
		const report = await status(context);
		expect(report.balancer).toMatchObject({ reachable: false, backends: [] });
		expect(report.problems).toEqual([
			"n2 is draining, for another 30 s",
			"the balancer does not answer",
		]);
	});

	it("shows who operates on the cluster", async () => {
		const { cluster, context } = operating();
		cluster.lock = {
			holder: "bob@ci:7",
			host: "ci",
			nonce: "",
			operation: "rolling-restart",
			step: "n2/drain",
			fencingToken: 1,
			acquiredAtMs: 0,
			expiresAtMs: 1e9,
		};
		expect((await status(context)).lock?.holder).toBe("bob@ci:7");
	});
});
