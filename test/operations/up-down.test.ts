import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { OperatorError } from "../../src/errors.js";
import { down, planDown } from "../../src/operations/down.js";
import { planUp, up } from "../../src/operations/up.js";
import { failureOf, type Operating, operating } from "./operating.js";

/** A cluster that was never started. */
function stopped(): Operating {
	const world = operating();
	for (const node of world.cluster.nodes.values()) node.running = false;
	world.cluster.leader = null;
	return world;
}

function hasData({ machines }: Operating, id: string): void {
	const content = Buffer.from("{}");
	machines.files.set(`/data/${id}/identity.json`, { content, mode: 0o600 });
}

function startsIn({ machines }: Operating): readonly string[] {
	return machines.log.filter((line) => line.startsWith("start "));
}

describe("up", () => {
	it("starts every node at once and the balancer, and waits for a leader", async () => {
		const world = stopped();
		const report = await up(world.context);
		expect(report).toMatchObject({
			started: ["n1", "n2", "n3", "balancer"],
			alreadyRunning: [],
			leader: "n1",
		});
		expect(startsIn(world)).toHaveLength(4);
	});

	it("does nothing the second time", async () => {
		const world = stopped();
		await up(world.context);
		const report = await up(world.context);
		expect(report.started).toEqual([]);
		expect(startsIn(world)).toHaveLength(4);
		expect(world.events.some(({ type }) => type === "warning")).toBe(false);
	});

	it("starts only what is missing", async () => {
		const world = stopped();
		await up(world.context);
		world.cluster.stop("n3");
		expect(await up(world.context)).toMatchObject({ started: ["n3"] });
	});

	it("writes nothing while it only looks what is to be done", async () => {
		const world = stopped();
		await up(world.context);
		world.cluster.stop("n3");
		const before = new Map(world.machines.files);
		const { inventory } = world.context;
		const roll = { ...inventory.roll, closeOverMs: 900 };
		const context = { ...world.context, inventory: { ...inventory, roll } };
		const ids = (await planUp(context)).plan.map(({ id }) => id);
		expect(ids).toEqual([
			...["n1/configure", "n2/configure", "n3/configure", "n3/start"],
			"cluster/ready",
		]);
		expect(world.machines.files).toEqual(before);
		await up(context);
		expect(world.machines.files).not.toEqual(before);
	});

	it("says which node is up but drained, and what ends that", async () => {
		const world = stopped();
		await up(world.context);
		world.cluster.node("n2").drain.until = world.clock.now() + 600_000;
		const report = await up(world.context);
		expect(report.drained).toEqual(["n2"]);
		expect(world.events).toContainEqual({
			type: "warning",
			node: "n2",
			message:
				"up but drained, for another 600 s; raftctl undrain n2 -c cluster.yaml ends that",
		});
	});

	it("plans what it would start, and touches nothing", async () => {
		const world = stopped();
		world.cluster.start("n1");
		const { dryRun, plan } = await planUp(world.context);
		expect(dryRun).toBe(true);
		expect(plan.map(({ id }) => id)).toEqual([
			...["n1/configure", "n2/configure", "n2/start"],
			...["n3/configure", "n3/start"],
			...["balancer/configure", "balancer/start", "cluster/ready"],
		]);
		expect(world.machines.log).toEqual([]);
		expect(world.machines.files.size).toBe(0);
	});

	it("plans nothing where all is up", async () => {
		const world = stopped();
		await up(world.context);
		expect((await planUp(world.context)).plan).toEqual([]);
	});

	it("writes for each node what raftd reads, and for the operator's eyes only", async () => {
		const world = stopped();
		await up(world.context);
		const file = world.machines.files.get("/state/n2/node.yaml");
		expect(file?.mode).toBe(0o600);
		expect(parse(new TextDecoder().decode(file?.content))).toMatchObject({
			cluster: { id: "c1", name: "test" },
			node: "n2",
			data: "/data/n2",
			listen: { peer: "n2:1", client: "n2:2", admin: "n2:3" },
			members: [{ id: "n1", role: "voter" }, { id: "n2" }, { id: "n3" }],
			timing: { electionTimeoutMs: 1_000 },
		});
	});

	it("says that a running node has an older configuration", async () => {
		const world = stopped();
		await up(world.context);
		world.machines.files.set("/state/n2/node.yaml", {
			content: new Uint8Array(),
			mode: 0o600,
		});
		await up(world.context);
		expect(world.events).toContainEqual(
			expect.objectContaining({
				type: "warning",
				node: "n2",
				message: expect.stringContaining("rolling-restart --node n2"),
			}),
		);
	});

	it("tells at once, with its log, that a node ended at its start", async () => {
		const world = stopped();
		world.cluster.node("n2").failsToStart = true;
		const failure = await failureOf(up(world.context));
		expect(failure.exitCode).toBe(14);
		expect(failure.node).toBe("n2");
		expect(failure.problems).toEqual(["last words of n2"]);
		expect(world.cluster.node("n1").running).toBe(true);
	});

	it("tells a balancer that runs of a node that came, and does not call it outdated", async () => {
		const world = stopped();
		await up(world.context);
		world.cluster.addProgram("n4");
		world.cluster.node("n4").role = "learner";
		hasData(world, "n4");
		for (const id of ["n1", "n2", "n3"]) hasData(world, id);
		const { inventory } = world.context;
		const [n1] = inventory.nodes;
		if (n1 === undefined) throw new Error("no node");
		const n4 = {
			...{ ...n1, id: "n4", role: "learner" as const, admin: "n4:3" },
			...{ peer: "n4:1", client: "n4:2", dataDirectory: "/data/n4" },
		};
		const context = {
			...world.context,
			inventory: { ...inventory, nodes: [...inventory.nodes, n4] },
		};
		world.events.length = 0;
		const plan = (await planUp(context)).plan.map(({ id }) => id);
		expect(plan).toEqual([
			...["n4/configure", "n4/start", "balancer/nodes", "cluster/ready"],
		]);
		expect(await up(context)).toMatchObject({ started: ["n4"] });
		expect(world.balancer.reloads).toBe(1);
		expect(world.events.some(({ type }) => type === "warning")).toBe(false);
	});

	it("gives up on a node that never becomes ready, with its log and why", async () => {
		const world = stopped();
		world.cluster.node("n3").neverReady = true;
		const failure = await failureOf(up(world.context));
		expect(failure.exitCode).toBe(12);
		expect(failure.message).toContain("n3 is not ready: healthy: sick");
		expect(failure.problems).toEqual(["n3: last words of n3"]);
	});

	it("starts no node that is no member, waits for none, and says how it is added", async () => {
		const world = operating({
			n1: "voter",
			n2: "voter",
			n3: "voter",
			n4: "voter",
		});
		for (const id of ["n1", "n2", "n3"]) hasData(world, id);
		world.cluster.nodes.delete("n4");
		world.cluster.addProgram("n4");
		world.cluster.stop("n3");
		const report = await up(world.context);
		expect(report.started).toEqual(["n3", "balancer"]);
		expect(report.notMembers).toEqual(["n4"]);
		expect(world.machines.files.has("/state/n4/node.yaml")).toBe(false);
		expect(world.events).toContainEqual({
			...{ type: "warning", node: "n4" },
			message:
				"in the cluster file, and no member of the cluster: let be; raftctl add-learner n4 --promote -c cluster.yaml adds it",
		});
	});

	it("asks those that it started whether a node without data is a founder, where nobody ran", async () => {
		const world = stopped();
		hasData(world, "n1");
		hasData(world, "n2");
		world.cluster.unmet.add("n3");
		const report = await up(world.context);
		expect(report.started).toEqual(["n1", "n2", "n3", "balancer"]);
		const plan = world.events.find(({ type }) => type === "plan");
		expect(plan).toMatchObject({
			steps: [
				...[{ id: "n1/configure" }, { id: "n1/start" }],
				...[{ id: "n2/configure" }, { id: "n2/start" }],
				...[{ id: "balancer/configure" }, { id: "balancer/start" }],
				{ id: "n3/configure" },
				{ id: "n3/start", title: "start, if the others know it as a founder" },
				{ id: "cluster/ready" },
			],
		});
		expect(world.machines.log.at(-1)).toBe("start n3");
	});

	it("lets a node without data be when those that it started do not know it, where nobody ran", async () => {
		const world = stopped();
		hasData(world, "n1");
		hasData(world, "n2");
		world.cluster.nodes.delete("n3");
		world.cluster.addProgram("n3");
		const report = await up(world.context);
		expect(report).toMatchObject({ notMembers: ["n3"], leader: "n1" });
		expect(world.machines.log).not.toContain("start n3");
	});

	it("leaves running what it started when a member's disk turns out to be lost", async () => {
		const world = stopped();
		hasData(world, "n1");
		hasData(world, "n2");
		const failure = await failureOf(up(world.context));
		expect(failure.exitCode).toBe(11);
		expect(failure.problems).toEqual([
			"n3 is a member, and its data directory is gone or empty",
		]);
		expect(world.cluster.node("n2").running).toBe(true);
		expect(world.machines.log).not.toContain("start n3");
	});

	it("ends at Ctrl-C and leaves running what it started", async () => {
		const world = stopped();
		world.onEvent = ({ type }) => {
			if (type === "step-progress") world.abort.abort();
		};
		const failure = await failureOf(up(world.context));
		expect(failure.exitCode).toBe(130);
		expect(world.cluster.node("n1").running).toBe(true);
	});
});

describe("down", () => {
	it("stops followers, then the leader, then the balancer", async () => {
		const world = stopped();
		await up(world.context);
		world.machines.log.length = 0;
		const report = await down(world.context, { lockWaitMs: 0 });
		expect(report.stopped).toEqual(["n1", "n2", "n3", "balancer"]);
		expect(world.machines.log).toEqual([
			"stop n2",
			"stop n3",
			"stop n1",
			"stop balancer",
		]);
	});

	it("holds the lock until the quorum that keeps it is gone: whoever waits for it gets nothing", async () => {
		const world = operating();
		const holders: (string | undefined)[] = [];
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/stop")
				holders.push(world.cluster.lock?.operation);
		};
		await down(world.context, { lockWaitMs: 0 });
		expect(holders).toEqual(["down"]);
		expect(world.cluster.lock?.operation).toBe("down");
		expect(world.events.filter(({ type }) => type === "warning")).toEqual([]);
	});

	it("does nothing where nothing runs", async () => {
		const world = stopped();
		const report = await down(world.context, { lockWaitMs: 0 });
		expect(report.notRunning).toEqual(["n1", "n2", "n3", "balancer"]);
	});

	it("plans what it would stop and what that costs, and touches nothing", async () => {
		const world = stopped();
		await up(world.context);
		world.cluster.connect(4, "n2");
		world.machines.log.length = 0;
		const { plan } = await planDown(world.context);
		expect(plan.map(({ id }) => id)).toEqual([
			"n2/stop",
			"n3/stop",
			"n1/stop",
			"balancer/stop",
		]);
		expect(plan[0]?.cost).toBe("4 connections end");
		expect(world.machines.log).toEqual([]);
		expect(world.cluster.newestToken).toBe(0);
	});

	it("plans nothing where nothing runs", async () => {
		expect((await planDown(stopped().context)).plan).toEqual([]);
	});

	it("asks with the plan shown, before the lock; after a no everything runs", async () => {
		const world = stopped();
		await up(world.context);
		world.events.length = 0;
		world.machines.log.length = 0;
		const failure = await failureOf(
			down(world.context, {
				lockWaitMs: 0,
				confirm: async () => {
					expect(world.events.map(({ type }) => type)).toEqual(["plan"]);
					expect(world.cluster.newestToken).toBe(0);
					throw new OperatorError("refused", "you answered no");
				},
			}),
		);
		expect(failure.exitCode).toBe(11);
		expect(world.machines.log).toEqual([]);
	});

	it("is refused while another operation is under way", async () => {
		const world = operating();
		world.cluster.lock = {
			holder: "bob@ci:7",
			host: "ci",
			nonce: "",
			operation: "rolling-restart",
			step: "",
			fencingToken: 1,
			acquiredAtMs: 0,
			expiresAtMs: 1e9,
		};
		const failure = await failureOf(down(world.context, { lockWaitMs: 0 }));
		expect(failure.exitCode).toBe(13);
		expect(world.machines.log).toEqual([]);
	});

	/** Of an operation that somebody began a moment ago. */
	function held(world: Operating): void {
		world.cluster.lock = {
			...{ holder: "bob@ci:7", host: "ci", nonce: "", step: "" },
			...{ operation: "reset-node", fencingToken: 1 },
			...{ acquiredAtMs: world.clock.now(), expiresAtMs: 1e9 },
		};
	}

	it("is refused before anybody is asked, and its plan as well, while somebody operates", async () => {
		const world = operating();
		held(world);
		const asked: string[] = [];
		const confirm = async () => void asked.push("down?");
		const failure = await failureOf(
			down(world.context, { lockWaitMs: 0, confirm }),
		);
		expect(failure.exitCode).toBe(13);
		expect(asked).toEqual([]);
		expect((await failureOf(planDown(world.context))).exitCode).toBe(13);
	});

	it("looks for the lock again behind its question: before it there may have been no leader", async () => {
		const world = operating();
		world.cluster.leader = null;
		const confirm = async () => {
			await world.clock.sleep(120_000);
			held(world);
		};
		const failure = await failureOf(
			down(world.context, { lockWaitMs: 0, confirm }),
		);
		expect(failure).toMatchObject({
			...{ exitCode: 13, message: expect.stringContaining("bob@ci:7") },
		});
		expect(world.machines.log).toEqual([]);
	});

	it("lets an election end before it takes the lock for nobody's", async () => {
		const world = operating();
		held(world);
		world.cluster.leader = null;
		const failure = await failureOf(down(world.context, { lockWaitMs: 0 }));
		expect(failure.exitCode).toBe(13);
		expect(world.machines.log).toEqual([]);
	});

	it("stops what is left of a cluster that elects nobody", async () => {
		const world = operating();
		held(world);
		world.cluster.stop("n2");
		world.cluster.stop("n3");
		const report = await down(world.context, { lockWaitMs: 0 });
		expect(report.stopped).toEqual(["n1"]);
	});

	it("says of nodes that run and do not answer that nobody knows who operates, and stops them", async () => {
		const world = operating();
		for (const id of ["n1", "n2"]) world.cluster.node(id).silentMs = 1e9;
		world.cluster.stop("n3");
		const { plan } = await planDown(world.context);
		expect(plan.map(({ cost }) => cost)).toEqual(
			["n1", "n2"].map(
				() => "it does not answer: whether somebody operates is not known",
			),
		);
		const report = await down(world.context, { lockWaitMs: 0 });
		expect(report.stopped).toEqual(["n1", "n2"]);
	});

	it("names every program that does not stop, and stops no leader above it", async () => {
		const world = operating();
		world.cluster.node("n2").neverStops = true;
		world.cluster.node("n3").neverStops = true;
		const failure = await failureOf(down(world.context, { lockWaitMs: 0 }));
		expect(failure.exitCode).toBe(12);
		expect(failure.problems).toEqual(["n2 still runs", "n3 still runs"]);
		expect(world.cluster.node("n1").running).toBe(true);
	});
});
