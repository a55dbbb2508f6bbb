import { describe, expect, it } from "vitest";
import { addLearner } from "../../../src/operations/membership/add-learner.js";
import { demote } from "../../../src/operations/membership/demote.js";
import { promote } from "../../../src/operations/membership/promote.js";
import { removeNode } from "../../../src/operations/membership/remove-node.js";
import { replaceNode } from "../../../src/operations/membership/replace-node.js";
import { resetNode } from "../../../src/operations/membership/reset-node.js";
import { scale } from "../../../src/operations/membership/scale.js";
import { changing, finished, five, rolesOf, run, three } from "./changing.js";

describe("add-learner", () => {
	it("starts the node with join, adds it and waits until it has caught up", async () => {
		const world = changing(three, ["n4"]);
		const report = await run(world, () =>
			addLearner({ node: "n4", given: {}, promote: false, skip: [] }),
		);
		expect(world.cluster.changes).toEqual(["add n4"]);
		expect(rolesOf(world)).toEqual({ ...three, n4: "learner" });
		expect(report.agreeing).toEqual(["n1", "n2", "n3", "n4"]);
		const file = world.machines.files.get("/state/n4/node.yaml");
		expect(new TextDecoder().decode(file?.content)).toContain("join: true");
		expect(world.cluster.behindNow(world.cluster.node("n4"))).toBe(0);
	});

	it("tells lag, rate and time to go while it waits", async () => {
		const world = changing(three, ["n4"]);
		await run(world, () =>
			addLearner({ node: "n4", given: {}, promote: false, skip: [] }),
		);
		const notes = world.events.flatMap((event) =>
			event.type === "step-progress" && event.step === "n4/catch-up"
				? [event.note]
				: [],
		);
		expect(notes.join()).toMatch(
			/\d+ entries behind, 1000 a second, about \d+ s to go/,
		);
	});

	it("goes on with --promote until it votes", async () => {
		const world = changing(three, ["n4"]);
		await run(world, () =>
			addLearner({ node: "n4", given: {}, promote: true, skip: [] }),
		);
		expect(world.cluster.changes).toEqual(["add n4", "promote n4"]);
		expect(world.cluster.quorumLosses).toBe(0);
	});

	it("has nothing to do for a learner that has caught up", async () => {
		const world = changing({ ...three, n4: "learner" });
		const report = await run(world, () =>
			addLearner({ node: "n4", given: {}, promote: false, skip: [] }),
		);
		expect(world.cluster.changes).toEqual([]);
		expect(report.changes).toEqual([]);
	});
});

describe("promote and demote", () => {
	it("promote waits until the learner has caught up", async () => {
		const world = changing({ ...three, n4: "learner" });
		const node = world.cluster.node("n4");
		node.behind = 30_000;
		node.catchesUpPerMs = 1;
		await run(world, () => promote({ node: "n4", wait: true, skip: [] }));
		expect(world.cluster.changes).toEqual(["promote n4"]);
	});

	it("demote hands leadership over first", async () => {
		const world = changing();
		await run(world, () => demote({ node: "n1", skip: [] }));
		expect(world.cluster.transfers).toHaveLength(1);
		expect(world.cluster.changes).toEqual(["demote n1"]);
		expect(world.cluster.leaderlessMs).toBe(0);
	});
});

describe("remove-node", () => {
	it("takes a snapshot, moves connections, removes the node and stops it", async () => {
		const world = changing(five);
		world.cluster.connect(20, "n2");
		const report = await run(world, () => removeNode({ node: "n2", skip: [] }));
		expect(world.cluster.changes).toEqual(["remove n2"]);
		expect(world.cluster.cut).toBe(0);
		expect(world.machines.log).toEqual(["stop n2"]);
		expect(report.snapshot?.node).not.toBe("n1");
		expect(report.notes.join()).toContain("/data/n2");
		expect(finished(world.events)).toEqual([
			...["cluster/snapshot", "n2/announce", "n2/drain", "n2/remove"],
			...["cluster/agree", "n2/stop", "balancer/nodes", "cluster/file"],
		]);
	});

	it("hands over when the node leads", async () => {
		const world = changing();
		await run(world, () => removeNode({ node: "n1", skip: [] }));
		expect(world.cluster.transfers).toHaveLength(1);
		expect(rolesOf(world)).toEqual({ n2: "voter", n3: "voter" });
	});

	it("removes a dead node", async () => {
		const world = changing();
		world.cluster.stop("n3");
		await run(world, () => removeNode({ node: "n3", skip: [] }));
		expect(rolesOf(world)).toEqual({ n1: "voter", n2: "voter" });
	});

	it("names a member that does not answer, and what starts it or takes it out", async () => {
		const world = changing(five);
		world.cluster.stop("n4");
		const make = () => removeNode({ node: "n5", skip: [] });
		const { notes, silent } = await run(world, make);
		expect(silent).toEqual(["n4"]);
		expect(notes.join()).toContain("raftctl up -c cluster.yaml starts it, ");
		const other = changing(five);
		other.cluster.stop("n4");
		const { inventory } = other.context;
		const nodes = inventory.nodes.filter(({ id }) => id !== "n4");
		const context = { ...other.context, inventory: { ...inventory, nodes } };
		const report = await run({ ...other, context }, make);
		expect(report.notes.join()).toContain(
			"starts it once the cluster file has it, raftctl remove-node n4",
		);
	});

	it("removes a member that the cluster file does not have any more", async () => {
		const world = changing(five);
		const { inventory } = world.context;
		const nodes = inventory.nodes.filter(({ id }) => id !== "n5");
		const context = { ...world.context, inventory: { ...inventory, nodes } };
		const report = await run({ ...world, context }, () =>
			removeNode({ node: "n5", skip: [] }),
		);
		expect(world.cluster.changes).toEqual(["remove n5"]);
		expect(report.notes.join()).toContain("not in the cluster file");
	});
});

describe("replace-node", () => {
	it("lets the new node take the old one's place in one change", async () => {
		const world = changing(three, ["n4"]);
		world.cluster.connect(10, "n3");
		await run(world, () =>
			replaceNode({ old: "n3", new: "n4", given: {}, skip: [] }),
		);
		expect(world.cluster.changes).toHaveLength(2);
		expect(world.cluster.changes[1]?.split(", ").sort()).toEqual([
			"promote n4",
			"remove n3",
		]);
		expect(world.cluster.cut).toBe(0);
		expect(world.machines.log).toEqual(["start n4", "stop n3"]);
		const backends = await world.balancer.backends();
		expect(backends.map(({ node }) => node)).toEqual(["n1", "n2", "n4"]);
	});

	it("replaces a dead node and a leader", async () => {
		const dead = changing(three, ["n4"]);
		dead.cluster.stop("n3");
		await run(dead, () =>
			replaceNode({ old: "n3", new: "n4", given: {}, skip: [] }),
		);
		expect(rolesOf(dead)).toEqual({ n1: "voter", n2: "voter", n4: "voter" });
		const led = changing(three, ["n4"]);
		await run(led, () =>
			replaceNode({ old: "n1", new: "n4", given: {}, skip: [] }),
		);
		expect(rolesOf(led)).toEqual({ n2: "voter", n3: "voter", n4: "voter" });
		expect(led.cluster.leaderlessMs).toBe(0);
	});
});

describe("reset-node", () => {
	it("gives a voter an empty disk and its vote back", async () => {
		const world = changing();
		world.cluster.connect(10, "n2");
		await run(world, () => resetNode({ node: "n2", discard: false, skip: [] }));
		expect(world.cluster.changes).toEqual([
			...["remove n2", "add n2", "promote n2"],
		]);
		expect(world.cluster.node("n2").incarnation).toBe("i-n2-1");
		expect(world.cluster.cut).toBe(0);
		expect(world.cluster.quorumLosses).toBe(0);
		const moved = world.machines.log.find((line) => line.startsWith("mv"));
		expect(moved).toMatch(
			/^mv -T \/data\/n2 \/data\/n2\.before-reset-\d{8}T\d{6}Z$/,
		);
		expect(world.cluster.isDraining("n2")).toBe(false);
	});

	it("ends the alarms about the data that goes, before the new one is counted", async () => {
		const world = changing();
		world.cluster.alarms = [
			{ kind: "log-went-back", node: "n2", message: "it went back" },
			{ kind: "state-differs", node: "n3", message: "it differs" },
		];
		await run(world, () => resetNode({ node: "n2", discard: false, skip: [] }));
		expect(world.cluster.alarms.map(({ node }) => node)).toEqual(["n3"]);
		const steps = finished(world.events);
		expect(steps.indexOf("n2/alarms")).toBeGreaterThan(
			steps.indexOf("n2/remove"),
		);
		expect(steps.indexOf("n2/alarms")).toBeLessThan(steps.indexOf("n2/add"));
	});

	it("leaves a learner a learner, and discards its data when asked to", async () => {
		const world = changing({ ...three, n4: "learner" });
		await run(world, () => resetNode({ node: "n4", discard: true, skip: [] }));
		expect(world.cluster.changes).toEqual(["remove n4", "add n4"]);
		expect(world.machines.log).toContain("rm -f /data/n4/identity.json");
	});
});

describe("scale", () => {
	it("adds nodes of the file and lets them vote in one change", async () => {
		const world = changing(three, ["n4", "n5"]);
		await run(world, () => scale({ voters: 5, skip: [] }));
		expect(world.cluster.changes).toEqual([
			...["add n4", "add n5", "promote n4, promote n5"],
		]);
	});

	it("takes votes away in one change, and keeps the leader", async () => {
		const world = changing(five);
		await run(world, () => scale({ voters: 3, skip: [] }));
		expect(world.cluster.changes).toEqual(["demote n5, demote n4"]);
		expect(world.cluster.transfers).toEqual([]);
	});
});
