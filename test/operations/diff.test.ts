import { describe, expect, it } from "vitest";
import { diffText } from "../../src/cli/diff-table.js";
import type { Inventory, NodeEntry } from "../../src/config/inventory.js";
import { diff } from "../../src/operations/diff.js";
import { writeNodeConfig } from "../../src/operations/node-service.js";
import {
	failureOf,
	inventoryOf,
	type Operating,
	operating,
} from "./operating.js";

/** A cluster of these, whose hosts hold what the file says. */
async function running(
	roles?: Readonly<Record<string, "voter" | "learner">>,
): Promise<Operating> {
	const world = operating(roles);
	for (const node of world.context.inventory.nodes)
		await writeNodeConfig(world.context, node);
	return world;
}

/** The differences where the file is another. */
function diffWith({ context }: Operating, file: Partial<Inventory>) {
	const inventory = { ...context.inventory, ...file };
	return diff({ ...context, inventory });
}

const voters = { n1: "voter", n2: "voter", n3: "voter" } as const;

describe("the difference between file and cluster", () => {
	it("is none where the file says what is", async () => {
		const { context, machines } = await running();
		const written = machines.files.size;
		const report = await diff(context);
		expect(report).toEqual({
			...{ cluster: "test", clusterId: "c1", leader: "n1" },
			...{ drift: false, differences: [], unasked: [], unfinished: null },
		});
		expect(diffText(report)).toBe("the file says what the cluster test is");
		expect(machines.log).toEqual([]);
		expect(machines.files.size).toBe(written);
	});

	it("is told of a node that is not added yet, and of a member that the file lacks", async () => {
		const world = await running({ ...voters, n5: "learner" });
		const { differences } = await diffWith(world, {
			nodes: inventoryOf({ ...voters, n4: "voter" }).nodes,
		});
		expect(differences).toEqual([
			{
				...{ about: "member", node: "n4", key: null },
				...{ file: "voter", cluster: null },
				next: [
					"raftctl add-learner n4 --promote -c cluster.yaml",
					"in cluster.yaml: under nodes, take out n4",
				],
			},
			{
				...{ about: "member", node: "n5", key: null },
				...{ file: null, cluster: "learner" },
				next: [
					"raftctl remove-node n5 -c cluster.yaml",
					"in cluster.yaml: under nodes, write: { id: n5, role: learner, peer: n5:1, client: n5:2, admin: n5:3, data: <its data directory> }",
				],
			},
			expect.objectContaining({ about: "backend", node: "n5", file: null }),
		]);
	});

	it("is told of roles, either way", async () => {
		const world = await running({ ...voters, n4: "learner", n5: "voter" });
		const { differences } = await diffWith(world, {
			nodes: inventoryOf({ ...voters, n4: "voter", n5: "learner" }).nodes,
		});
		expect(differences.map(({ next }) => next)).toEqual([
			[
				"raftctl promote n4 -c cluster.yaml",
				'in cluster.yaml: under nodes, give n4 "role: learner"',
			],
			[
				"raftctl demote n5 -c cluster.yaml",
				'in cluster.yaml: under nodes, give n5 "role: voter"',
			],
		]);
	});

	it("is told of addresses; a member is found where the cluster says that it is", async () => {
		const world = await running();
		const moved = (node: NodeEntry): NodeEntry =>
			node.id === "n2" ? { ...node, admin: "elsewhere:3" } : node;
		const asked: string[] = [];
		const { engine } = world.context;
		const status: typeof engine.status = async (node, options) => {
			asked.push(node.admin);
			if (node.admin === "elsewhere:3") throw new Error("nobody there");
			return engine.status(node, options);
		};
		const context = { ...world.context, engine: { ...engine, status } };
		const { differences } = await diffWith(
			{ ...world, context },
			{
				nodes: world.context.inventory.nodes.map(moved),
			},
		);
		expect(asked).toContain("n2:3");
		expect(differences[0]).toEqual({
			...{ about: "address", node: "n2", key: "admin" },
			...{ file: "elsewhere:3", cluster: "n2:3" },
			next: [
				"raftctl move-node n2 -c cluster.yaml",
				'in cluster.yaml, give n2 "admin: n2:3"',
			],
		});
	});

	it("is told of what the nodes would read, a setting a line", async () => {
		const world = await running();
		const { timing } = world.context.inventory;
		world.machines.files.delete("/state/n3/node.yaml");
		const { differences } = await diffWith(world, {
			timing: { ...timing, electionTimeoutMs: 3_000 },
		});
		expect(differences).toEqual([
			...["n1", "n2"].map((node) => ({
				...{ about: "node.yaml", node, key: "timing.electionTimeoutMs" },
				...{ file: "3000", cluster: "1000" },
				next: [`raftctl rolling-restart --node ${node} -c cluster.yaml`],
			})),
			{
				...{ about: "node.yaml", node: "n3", key: null },
				...{ file: "as the file says", cluster: null },
				next: ["raftctl up -c cluster.yaml"],
			},
		]);
	});

	it("is not told of the founders, who are past: a node that was added since has others", async () => {
		const world = await running({ ...voters, n4: "voter" });
		const [n1, , , n4] = world.context.inventory.nodes;
		if (n1 === undefined || n4 === undefined) throw new Error("no such nodes");
		await writeNodeConfig(world.context, n4, { join: [n1] });
		expect((await diff(world.context)).differences).toEqual([]);
	});

	it("is told of the cluster's id where all who answer have another", async () => {
		const { differences } = await diffWith(await running(), { id: "c9" });
		expect(differences[0]).toMatchObject({
			...{ about: "cluster-id", file: "c9", cluster: "c1" },
			next: [expect.stringContaining('write "id: c1"')],
		});
	});

	it("stands whoever is down, as long as a quorum answers; a leader that the file lacks is found", async () => {
		const world = await running({ ...voters, n4: "voter", n5: "voter" });
		world.cluster.stop("n4");
		world.cluster.stop("n5");
		const { leader, differences } = await diffWith(world, {
			nodes: world.context.inventory.nodes.slice(1),
		});
		expect(leader).toBe("n1");
		expect(differences.map(({ about, node }) => `${about} ${node}`)).toEqual([
			"member n1",
			"backend n1",
		]);
	});

	it("is not known where no quorum answers", async () => {
		const world = await running();
		world.cluster.stop("n1");
		world.cluster.stop("n2");
		const failure = await failureOf(diff(world.context));
		expect(failure.exitCode).toBe(20);
		expect(failure.problems).toEqual([
			"n1 does not answer: connect ECONNREFUSED",
			"n2 does not answer: connect ECONNREFUSED",
		]);
	});

	it("is not known of a balancer that does not answer, and that is said", async () => {
		const world = await running();
		world.balancer.gone = true;
		const report = await diff(world.context);
		expect(report).toMatchObject({
			drift: false,
			unasked: [{ what: "the balancer", why: "the balancer does not answer" }],
		});
		expect(diffText(report)).toContain("as far as could be asked");
	});

	it("is a table for people, with what ends each", async () => {
		const world = await running({ ...voters, n4: "learner" });
		const report = await diffWith(world, {
			nodes: inventoryOf({ ...voters, n4: "voter" }).nodes,
		});
		expect(diffText(report).split("\n")).toEqual([
			"1 difference between the file and the cluster test",
			"",
			"NODE  WHAT  FILE   CLUSTER",
			"n4    role  voter  learner",
			"",
			"either of these ends it:",
			"  n4 role",
			"    raftctl promote n4 -c cluster.yaml",
			'    in cluster.yaml: under nodes, give n4 "role: learner"',
		]);
	});
});
