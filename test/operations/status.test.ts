import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { scheduleSnapshots } from "../../src/operations/snapshots/schedule.js";
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

	it("names an unfinished operation that nobody has in hand, and how to go on", async () => {
		const { clock, cluster, context } = operating();
		const record = (state: string) =>
			JSON.stringify({
				...{ version: 1, id: "t1-a", operation: "rolling-restart" },
				...{ text: "rolling-restart --node n2", state, step: "n2/restart" },
				attempts: [{ as: "begin", holder: "bob@ci:7", atMs: 0 }],
			});
		const stored = {
			...{ id: "t1-a", unfinished: true, pauseRequested: false },
			...{ beganAtMs: 0, updatedAtMs: 0, record: record("running") },
		};
		cluster.operations = [stored];
		cluster.lock = {
			...{ holder: "bob@ci:7", host: "ci", nonce: "", step: "" },
			...{ operation: "rolling-restart", fencingToken: 1 },
			...{ acquiredAtMs: 0, expiresAtMs: 20_000 },
		};
		const held = await status(context);
		expect(held.operation).toMatchObject({ state: "running", next: [] });
		expect(held.healthy).toBe(true);

		// The lock of a killed holder is shown until another is taken, and counts for nothing.
		await clock.sleep(20_000);
		const killed = await status(context);
		expect(killed.operation).toEqual({
			...{ id: "t1-a", text: "rolling-restart --node n2", state: "killed" },
			...{ by: "bob@ci:7", step: "n2/restart", pauseRequested: false },
			...{ lapses: false, beganAtMs: 0, updatedAtMs: 0 },
			next: [
				"raftctl operation resume -c cluster.yaml",
				"raftctl operation abort -c cluster.yaml",
			],
		});
		expect(killed.problems).toEqual([
			'"rolling-restart --node n2" is not finished: it was killed at n2/restart',
		]);

		cluster.operations = [{ ...stored, record: record("paused") }];
		expect((await status(context)).healthy).toBe(true);
		cluster.operations = [{ ...stored, record: '{"version":99}' }];
		expect((await status(context)).operation?.text).toBeNull();
	});

	it("calls a cluster unhealthy whose schedule was set two intervals ago and never brought a snapshot", async () => {
		const { clock, context } = operating();
		const schedule = {
			...{ intervalMs: 60_000, keep: 2, directory: "/b", command: [] },
			s3: null,
		};
		const skip = ["directory"] as const;
		await scheduleSnapshots(context, { schedule, skip, lockWaitMs: 0 });
		await clock.sleep(119_000);
		expect((await status(context)).healthy).toBe(true);
		await clock.sleep(2_000);
		expect((await status(context)).problems).toEqual([
			"no scheduled snapshot has gone well for 2 min; one is due every 60 s",
		]);
		await scheduleSnapshots(context, { schedule: null, lockWaitMs: 0 });
		expect((await status(context)).healthy).toBe(true);
	});

	it("calls a cluster unhealthy whose scheduled snapshots fail, or quietly stop", async () => {
		const { cluster, clock, context } = operating();
		const succeeded = {
			...{ succeededAtMs: 0, index: 900, node: "n2", file: "/b/a.snap" },
			...{ bytes: 1, attemptedAtMs: 0, fault: "" },
		};
		cluster.schedule = {
			...{ intervalMs: 60_000, keep: 2, directory: "/b", command: [] },
			s3: null,
		};
		expect((await status(context)).healthy).toBe(true);
		cluster.scheduled = succeeded;
		await clock.sleep(119_000);
		expect(await status(context)).toMatchObject({
			...{ healthy: true, snapshots: { ageMs: 119_000, overdue: false } },
		});
		await clock.sleep(2_000);
		expect((await status(context)).problems).toEqual([
			"no scheduled snapshot has gone well for 2 min; one is due every 60 s",
		]);
		cluster.scheduled = { ...succeeded, fault: "no space left" };
		expect((await status(context)).problems).toEqual([
			"the last scheduled snapshot failed: no space left",
		]);
		cluster.schedule = null;
		expect((await status(context)).healthy).toBe(true);
	});

	it("says of a silent node that the leader hears it: slow is not dead", async () => {
		const { context } = operating();
		const { engine } = context;
		const deaf: typeof engine = {
			...engine,
			status: (node, options) =>
				node.id === "n3"
					? Promise.reject(
							new OperatorError("unreachable", "n3 did not answer", {}),
						)
					: engine.status(node, options),
		};
		const report = await status({ ...context, engine: deaf });
		expect(report.nodes[2]).toMatchObject({
			reachable: false,
			fault: "did not answer; the leader heard it 10 ms ago",
		});
		expect(report.problems).toEqual([
			"n3 did not answer; the leader heard it 10 ms ago",
		]);
	});

	it("shows members that the cluster file lacks, and whether anybody hears them", async () => {
		const { cluster, context } = operating();
		for (const id of ["n8", "n9"]) {
			cluster.addProgram(id);
			cluster.node(id).role = "learner";
		}
		cluster.start("n9");
		await context.clock.sleep(3_000);
		const { nodes, healthy, problems } = await status(context);
		expect(nodes.slice(3)).toMatchObject([
			{ id: "n8", member: "learner", reachable: false },
			{ id: "n9", member: "learner", reachable: false },
		]);
		expect(problems).toContain(
			"n8 is not in the cluster file; it does not answer",
		);
		expect(problems).toContain(
			"n9 is not in the cluster file; the leader hears it",
		);
		expect(healthy).toBe(false);
	});

	it("gives nodes and balancer so long as it was asked to", async () => {
		const { context } = operating();
		const { engine } = context;
		const granted: number[] = [];
		const counting: typeof engine = {
			...engine,
			status: (node, options) => {
				granted.push(options.timeoutMs);
				return engine.status(node, options);
			},
		};
		const asked = { ...context, engine: counting };
		await status(asked, { timeoutMs: 1_000 });
		expect(granted).toEqual([1_000, 1_000, 1_000]);
	});
});
