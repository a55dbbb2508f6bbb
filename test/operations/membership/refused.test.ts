import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { addLearner } from "../../../src/operations/membership/add-learner.js";
import { demote } from "../../../src/operations/membership/demote.js";
import { promote } from "../../../src/operations/membership/promote.js";
import { removeNode } from "../../../src/operations/membership/remove-node.js";
import { replaceNode } from "../../../src/operations/membership/replace-node.js";
import { resetNode } from "../../../src/operations/membership/reset-node.js";
import { scale } from "../../../src/operations/membership/scale.js";
import type { Operation } from "../../../src/operations/operation.js";
import { failureOf, type Operating } from "../operating.js";
import { changing, five, rolesOf, run, three } from "./changing.js";

const given = {};
const skip = [] as const;

async function expectRefused(
	world: Operating,
	make: () => Operation,
): Promise<OperatorError> {
	const before = rolesOf(world);
	const error = await failureOf(run(world, make));
	expect(error).toMatchObject({ kind: "refused", exitCode: 11 });
	expect(rolesOf(world)).toEqual(before);
	expect(world.cluster.changes).toEqual([]);
	expect(world.machines.log).toEqual([]);
	expect(world.cluster.lockNow()).toBeNull();
	expect(world.cluster.operations).toEqual([]);
	return error;
}

describe("the quorum guard", () => {
	it.each([
		() => removeNode({ node: "n2", skip }),
		() => demote({ node: "n2", skip }),
		() => resetNode({ node: "n2", discard: false, skip }),
	])(
		"lets no voter go in a cluster of three of which one is down, and names that one (%#)",
		async (make) => {
			const world = changing();
			world.cluster.stop("n3");
			const error = await expectRefused(world, make);
			expect(error.message).toContain("n1 of 2 voters would be connected");
			expect(error.message).toContain("n3 does not answer");
			expect(error.next).toBe("raftctl up -c cluster.yaml");
		},
	);

	it("refuses a promotion that would let more vote than are connected", async () => {
		const world = changing({ ...three, n4: "learner" });
		world.cluster.stop("n3");
		world.cluster.node("n4").behind = 10;
		const error = await expectRefused(world, () =>
			promote({ node: "n4", wait: false, skip }),
		);
		expect(error.message).toContain("10 entries behind");
	});

	it("is waived by its name, and by nothing else", async () => {
		const world = changing();
		world.cluster.node("n3").neverReady = true;
		const make = () => demote({ node: "n2", skip: ["quorum"] });
		await run(world, make);
		expect(world.cluster.changes).toEqual(["demote n2"]);
	});

	it("keeps the last voter, whatever is waived", async () => {
		const world = changing({ n1: "voter", n2: "learner" });
		for (const make of [
			() => removeNode({ node: "n1", skip: ["quorum"] as const }),
			() => demote({ node: "n1", skip: ["quorum"] as const }),
		]) {
			const error = await expectRefused(world, make);
			expect(error.message).toContain("nobody would be left to vote");
		}
	});
});

describe("add-learner", () => {
	it("refuses a node whose release cannot read what the cluster writes, and stops it again", async () => {
		const world = changing(three, ["n4"]);
		world.cluster.writeLevel = { level: 2, release: "2.0.0" };
		const make = () => addLearner({ node: "n4", given, promote: false, skip });
		const error = await failureOf(run(world, make));
		expect(error).toMatchObject({ kind: "refused", node: "n4" });
		expect(error.message).toBe(
			"n4 cannot be added: the cluster writes level 2, and its release reads 0 to 1",
		);
		expect(error.next).toBe("start it with the release 2.0.0 or a later one");
		expect(world.cluster.changes).toEqual([]);
		expect(world.machines.log).toEqual(["start n4", "stop n4"]);
	});

	it("refuses a node that has a log already, naming what it is", async () => {
		const world = changing(three, ["n4"]);
		const { cluster, context } = world;
		cluster.start("n4");
		const engine = {
			...context.engine,
			status: async (...asked: Parameters<typeof context.engine.status>) => {
				const status = await context.engine.status(...asked);
				if (asked[0].id !== "n4") return status;
				const [member] = cluster.status("n1").members;
				if (member === undefined) throw new Error("no member");
				const members = [{ ...member, id: "n4" }];
				return { ...status, configurationIndex: 1, members };
			},
		};
		const founded = { ...world, context: { ...context, engine } };
		const error = await expectRefused(founded, () =>
			addLearner({ node: "n4", given, promote: false, skip }),
		);
		expect(error.message).toContain("it has a log already, as a founder of n4");
		expect(error.next).toContain("mv /data/n4 /data/n4.old");
	});

	it("refuses a directory with somebody else's files, which giving up would remove", async () => {
		const world = changing(three, ["n4"]);
		const { context } = world;
		const machines = {
			service: context.machines.service.bind(context.machines),
			host: async (name: string) => {
				const host = await context.machines.host(name);
				const run: typeof host.run = async (argv, options) =>
					argv.join(" ") === "ls -A /data/n4"
						? { exitCode: 0, stdout: "lost+found\nthesis.tex\n", stderr: "" }
						: host.run(argv, options);
				return { ...host, run };
			},
		};
		const mistaken = { ...world, context: { ...context, machines } };
		const error = await expectRefused(mistaken, () =>
			addLearner({ node: "n4", given, promote: false, skip }),
		);
		expect(error.message).toContain("/data/n4 holds files that are no node's");
		expect(error.problems).toEqual(["there: thesis.tex"]);
		expect(error.next).toContain("--data");
	});

	it("refuses a data directory of another cluster before it starts anything", async () => {
		const world = changing(three, ["n4"]);
		world.machines.files.set("/data/n4/identity.json", {
			content: Buffer.from(
				JSON.stringify({ clusterId: "other", nodeId: "n4", incarnation: "x" }),
			),
			mode: 0o600,
		});
		const error = await expectRefused(world, () =>
			addLearner({ node: "n4", given, promote: false, skip }),
		);
		expect(error.message).toContain("belongs to another cluster (other)");
	});

	it("stops what it started when that does not answer, and leaves nothing unfinished", async () => {
		const world = changing(three, ["n4"]);
		world.cluster.node("n4").failsToStart = true;
		const make = () => addLearner({ node: "n4", given, promote: false, skip });
		const error = await failureOf(run(world, make));
		expect(error.message).toContain("n4 ended right after its start");
		expect(error.problems).toEqual(["last words of n4"]);
		expect(world.cluster.changes).toEqual([]);
		expect(world.cluster.operations.some(({ unfinished }) => unfinished)).toBe(
			false,
		);
	});

	it("does not wait for a learner that is down: nobody here would start it", async () => {
		const world = changing({ ...three, n4: "learner" });
		world.cluster.stop("n4");
		const make = () => promote({ node: "n4", wait: true, skip });
		const error = await failureOf(run(world, make));
		expect(error.message).toBe("n4 does not run (exit code 1)");
		expect(error.problems).toEqual(["last words of n4"]);
		expect(error.state).toContain(
			"n4 is down; raftctl up -c cluster.yaml starts it",
		);
		expect(rolesOf(world).n4).toBe("learner");
		expect(world.cluster.operations.some(({ unfinished }) => unfinished)).toBe(
			false,
		);
	});

	it("times out with numbers and the way on; the learner stays one", async () => {
		const world = changing({ ...three, n4: "learner" });
		world.cluster.node("n4").behind = 1_000_000;
		world.cluster.node("n4").catchesUpPerMs = 0.001;
		const error = await failureOf(
			run(world, () =>
				promote({ node: "n4", wait: true, timeoutMs: 3_000, skip }),
			),
		);
		expect(error.kind).toBe("timeout");
		expect(error.message).toMatch(/entries behind, 1 a second, about \d+ s/);
		expect(rolesOf(world).n4).toBe("learner");
		expect(error.next).toBe("raftctl promote n4 -c cluster.yaml tries again");
	});
});

describe("what makes no sense", () => {
	it.each([
		[() => promote({ node: "n4", wait: true, skip }), "n4 is not a member"],
		[
			() => promote({ node: "n9", wait: true, skip }),
			"the cluster file has no node n9",
		],
		[() => demote({ node: "n9", skip }), "the cluster file has no node n9"],
		[
			() => replaceNode({ old: "n9", new: "n4", given, skip }),
			"the cluster file has no node n9",
		],
		[
			() => replaceNode({ old: "n3", new: "n3", given, skip }),
			"n3 cannot take its own place",
		],
		[
			() => replaceNode({ old: "n3", new: "n2", given, skip }),
			"n2 is a voter already",
		],
		[() => removeNode({ node: "n9", skip }), "the cluster file has no node n9"],
		[() => scale({ voters: 7, skip }), "there are not enough nodes"],
		[
			() => addLearner({ node: "n1", given, promote: false, skip }),
			"n1 is a voter already",
		],
	])("is refused before anything is touched (%#)", async (make, message) => {
		const world = changing(three, ["n4"]);
		const error = await failureOf(run(world, make));
		expect(error.message).toContain(message);
		expect(world.cluster.changes).toEqual([]);
		expect(world.cluster.newestToken).toBe(0);
	});
});

describe("what to type next", () => {
	const nextOf = async (make: () => Operation) =>
		(await failureOf(run(changing(three, ["n4"]), make))).next;

	it("after add-learner of a voter is a look, and not its demotion", async () => {
		const make = () => addLearner({ node: "n1", given, promote: false, skip });
		expect(await nextOf(make)).toBe("raftctl status -c cluster.yaml");
	});

	it("after a node that is neither in the file nor in the cluster is one that is", async () => {
		expect(await nextOf(() => demote({ node: "nine", skip }))).toBe(
			"choose from n1, n2, n3, n4",
		);
	});

	it("after a node of the file that is no member is to add it", async () => {
		expect(await nextOf(() => demote({ node: "n4", skip }))).toBe(
			"raftctl add-learner n4 -c cluster.yaml",
		);
	});

	it("never names the node that is yet to come", async () => {
		expect(
			await nextOf(() => replaceNode({ old: "nine", new: "n5", given, skip })),
		).toBe("choose from n1, n2, n3, n4");
	});
});

describe("a data directory on the command line", () => {
	it.each(["rel", "./rel", "../rel", "", "/data/../etc", "/data/n5/"])(
		"%j is a mistake of usage, before anything is touched",
		async (data) => {
			for (const make of [
				() => addLearner({ node: "n5", given: { data }, promote: false, skip }),
				() => replaceNode({ old: "n3", new: "n5", given: { data }, skip }),
			]) {
				const world = changing();
				const error = await failureOf(run(world, make));
				expect(error).toMatchObject({ kind: "usage", exitCode: 2 });
				expect(error.message).toContain("an absolute path");
				expect(world.machines.log).toEqual([]);
				expect(world.cluster.operations).toEqual([]);
			}
		},
	);
});

describe("Ctrl-C", () => {
	it("during the drain of a node to be removed leaves it a member in service", async () => {
		const world = changing(five);
		world.cluster.connect(5, "n2");
		world.cluster.node("n2").stubborn = 5;
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/drain")
				world.abort.abort(new OperatorError("interrupted", "Ctrl-C"));
		};
		const make = () => removeNode({ node: "n2", skip });
		const error = await failureOf(run(world, make));
		expect(error.exitCode).toBe(130);
		expect(rolesOf(world)).toEqual(five);
		expect(world.cluster.isDraining("n2")).toBe(false);
		expect(error.next).toBe(
			"raftctl remove-node n2 -c cluster.yaml tries again",
		);
		const [stored] = world.cluster.operations;
		expect(stored?.unfinished).toBe(false);
	});
});
