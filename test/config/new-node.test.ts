import { describe, expect, it } from "vitest";
import { parseInventory } from "../../src/config/load.js";
import { type GivenNode, nodeEntryFor } from "../../src/config/new-node.js";
import { OperatorError } from "../../src/errors.js";

const inventory = parseInventory(
	"name: demo\nid: demo-1\nportBase: 8000\nbalancer: embedded\nnodes: [n1, n2, { id: spare, peer: a:8030, client: a:8031, admin: a:8032 }]\n",
	{ source: "cluster.yaml", directory: "/clusters" },
);

function refusal(id: string, given: GivenNode): OperatorError {
	try {
		nodeEntryFor(inventory, id, given);
	} catch (error) {
		if (error instanceof OperatorError) return error;
		throw error;
	}
	throw new Error("it was not refused");
}

describe("a node that is to be added", () => {
	it("is as the cluster file has it, and nothing is to be edited", () => {
		expect(nodeEntryFor(inventory, "n2")).toEqual({
			...{ entry: inventory.nodes[1], edits: [] },
		});
		expect(
			nodeEntryFor(inventory, "n2", { peer: "127.0.0.1:8020" }).edits,
		).toEqual([]);
	});

	it("is else a learner on this machine, with the ports of its number", () => {
		const { entry, edits } = nodeEntryFor(inventory, "n4");
		expect(entry).toEqual({
			...{ id: "n4", host: "local", role: "learner", agent: null },
			peer: "127.0.0.1:8040",
			client: "127.0.0.1:8041",
			admin: "127.0.0.1:8042",
			dataDirectory: "/clusters/.raftctl/demo/n4/data",
		});
		expect(edits).toEqual([{ type: "add-node", node: entry }]);
	});

	it.each(["n3", "other"])(
		"gets the lowest free ports when its own are taken, or it has no number: %s",
		(id) => {
			expect(nodeEntryFor(inventory, id).entry).toMatchObject({
				...{ peer: "127.0.0.1:8040", client: "127.0.0.1:8041" },
			});
		},
	);

	it("is as it was said to be", () => {
		const given = {
			...({ role: "voter" } as const),
			...{ peer: "b:1", client: "b:2", admin: "b:3" },
			...{ agent: "b:4", host: "local" },
		} as const;
		const { entry } = nodeEntryFor(inventory, "n4", { ...given, data: "/d" });
		expect(entry).toEqual({ ...given, id: "n4", dataDirectory: "/d" });
	});

	it.each<[string, string, GivenNode, string]>([
		["its name is none", "n 4", {}, "the node's name must be 1 to 63"],
		["an address is none", "n4", { peer: "b" }, "peer must be host:port"],
		["a port is taken", "n4", { peer: "b:8011" }, "taken by n1"],
		["the balancer has its port", "n4", { admin: "b:8001" }, "by the balancer"],
		[
			"a port is given twice",
			"n4",
			{ peer: "b:1", client: "b:1" },
			"given twice",
		],
		[
			"another has its directory",
			"n4",
			{ data: "/clusters/.raftctl/demo/n1/data" },
			"is the data directory of n1",
		],
		[
			"the file says otherwise",
			"n2",
			{ peer: "b:1" },
			"127.0.0.1:8020 in the file",
		],
	])("is refused when %s", (_, id, given, words) => {
		const error = refusal(id, given);
		expect(error.exitCode).toBe(2);
		expect([error.message, ...error.problems].join()).toContain(words);
	});

	it("finds ports where the file has all the nodes that it may have", () => {
		const ids = Array.from({ length: 50 }, (_, at) => `n${at + 1}`);
		const full = parseInventory(
			`name: demo\nid: demo-1\nnodes: [${ids.join(", ")}]\n`,
			{ source: "cluster.yaml", directory: "/" },
		);
		expect(nodeEntryFor(full, "x").entry.peer).toBe("127.0.0.1:7610");
	});
});
