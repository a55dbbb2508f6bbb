import { describe, expect, it } from "vitest";
import { parseInventory } from "../../src/config/load.js";
import { type GivenPlace, movedNode } from "../../src/config/moved-node.js";
import { OperatorError } from "../../src/errors.js";

const start = "name: demo\nid: demo-1\nportBase: 8000\n";
const place = { source: "cluster.yaml", directory: "/clusters" };
const here = parseInventory(
	`${start}balancer: embedded\nnodes: [n1, n2]\n`,
	place,
);
const hosts = parseInventory(
	`${start}hosts: { h1: 10.0.0.1, h2: node2.example.net, h3: "fd00::3" }\nnodes: [{ id: n3, host: h1 }, { id: n4, host: h1, data: /srv/n4 }]\n`,
	place,
);

function moved(id: string, given: GivenPlace) {
	const inventory = ["n1", "n2"].includes(id) ? here : hosts;
	const node = inventory.nodes.find((one) => one.id === id);
	if (node === undefined) throw new Error(`no node ${id}`);
	return movedNode(inventory, node, given);
}

function refusal(id: string, given: GivenPlace): OperatorError {
	try {
		moved(id, given);
	} catch (error) {
		if (error instanceof OperatorError) return error;
		throw error;
	}
	throw new Error("it was not refused");
}

describe("a node that moves", () => {
	it("stays what it is where nothing is said", () => {
		expect(moved("n2", {})).toEqual(here.nodes[1]);
	});

	it("takes the ports of client and admin with that of peer", () => {
		expect(moved("n2", { peer: "127.0.0.1:8220" })).toMatchObject({
			peer: "127.0.0.1:8220",
			client: "127.0.0.1:8221",
			admin: "127.0.0.1:8222",
			dataDirectory: "/clusters/.raftctl/demo/n2/data",
		});
		expect(
			moved("n2", { peer: "127.0.0.1:8220", admin: "127.0.0.1:9000" }),
		).toMatchObject({ client: "127.0.0.1:8221", admin: "127.0.0.1:9000" });
	});

	it("keeps its ports at another address", () => {
		expect(moved("n3", { address: "fd00::9" })).toMatchObject({
			host: "h1",
			peer: "[fd00::9]:8030",
			client: "[fd00::9]:8031",
			admin: "[fd00::9]:8032",
		});
	});

	it("has the addresses of another host, and its data where that has it", () => {
		expect(moved("n3", { host: "h2" })).toMatchObject({
			host: "h2",
			peer: "node2.example.net:8030",
			dataDirectory: "/var/lib/raftctl/demo/n3/data",
		});
		expect(moved("n3", { host: "h3" }).admin).toBe("[fd00::3]:8032");
		expect(moved("n3", { host: "local" })).toMatchObject({
			...{ peer: "127.0.0.1:8030" },
			dataDirectory: "/clusters/.raftctl/demo/n3/data",
		});
		expect(moved("n4", { host: "local" })).toMatchObject({
			...{ peer: "127.0.0.1:8040", dataDirectory: "/srv/n4" },
		});
	});

	it.each([
		[{ host: "h9" }, "the cluster file has no host h9"],
		[{ peer: "nowhere" }, "must be host:port"],
		[{ peer: "127.0.0.1:8010" }, "n2 cannot be moved there"],
		[{ peer: "127.0.0.1:65534" }, "has a port outside"],
	])("is refused for %j", (given, message) => {
		expect(refusal("n2", given)).toMatchObject({
			kind: "usage",
			message: expect.stringContaining(message),
			state: "nothing was touched",
		});
	});
});
