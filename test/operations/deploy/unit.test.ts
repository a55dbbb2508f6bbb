import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseInventory } from "../../../src/config/load.js";
import { renderUnit } from "../../../src/operations/deploy/unit.js";
import { root } from "../../docs-pages.js";

const template = readFileSync(join(root, "templates/raftd.service"), "utf8");

function unitOf(more = ""): string {
	const inventory = parseInventory(
		`name: orders
id: orders-1
hosts: { h1: 10.0.0.1 }
roll: { stopTimeout: 31s }
nodes:
  - { id: n1, host: h1${more} }
`,
		{ source: "cluster.yaml", directory: "/desk" },
	);
	const [node] = inventory.nodes;
	if (node === undefined) throw new Error("it has a node");
	return renderUnit(template, inventory, node);
}

function valuesOf(unit: string, key: string): string[] {
	return unit
		.split("\n")
		.filter((line) => line.startsWith(`${key}=`))
		.map((line) => line.slice(key.length + 1));
}

describe("the unit of a node", () => {
	it("starts the release that its link shows, under the daemon's account", () => {
		const unit = unitOf();
		expect(valuesOf(unit, "ExecStart")).toEqual([
			"/opt/raftctl/orders/n1/current/bin/raftd --config /var/lib/raftctl/orders/n1/node.yaml",
		]);
		expect(valuesOf(unit, "User")).toEqual(["raftd-orders"]);
		expect(valuesOf(unit, "Type")).toEqual(["notify"]);
		expect(valuesOf(unit, "WatchdogSec")).toEqual(["10"]);
	});

	it("gives the node longer to stop than raftctl waits for it", () => {
		expect(valuesOf(unitOf(), "TimeoutStopSec")).toEqual(["41"]);
	});

	it("lets it write its own directories and no other", () => {
		const own = "/var/lib/raftctl/orders/n1";
		expect(valuesOf(unitOf(), "ReadWritePaths")).toEqual([own]);
		const apart = unitOf(', data: "/srv/fast disk/100%/n1"');
		expect(valuesOf(apart, "ReadWritePaths")).toEqual([
			`${own} "/srv/fast disk/100%%/n1"`,
		]);
		expect(valuesOf(apart, "RequiresMountsFor")).toEqual(
			valuesOf(apart, "ReadWritePaths"),
		);
	});

	it("has nothing of the template that is not filled in", () => {
		expect(unitOf().match(/@[a-zA-Z]+@/)).toBeNull();
		// A group of system calls, which is to stay.
		expect(valuesOf(unitOf(), "SystemCallFilter")).toEqual(["@system-service"]);
	});
});
