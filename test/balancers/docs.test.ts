import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandBalancer } from "../../src/balancers/command/balancer.js";
import { backendsOf } from "../../src/balancers/command/contract.js";
import { withSection } from "../../src/balancers/haproxy/marked-section.js";
import { renderSection } from "../../src/balancers/haproxy/render.js";
import { parseInventory } from "../../src/config/load.js";
import { localHost } from "../../src/hosts/local.js";
import { renderBalancer } from "../../src/operations/balancer/render.js";
import { blocksOf, read, root } from "../docs-pages.js";

const page = read("docs/balancer.md");
const blocks = blocksOf("docs/balancer.md");

/** The first block of this language behind a heading. */
function blockBehind(heading: string, language: string): string {
	const line = page.slice(0, page.indexOf(`\n${heading}\n`)).split("\n").length;
	const found = blocks.find(
		(block) => block.line > line && block.info === language,
	);
	if (found === undefined) throw new Error(`no ${language} behind ${heading}`);
	return found.text;
}

function inventoryOf(text: string) {
	return parseInventory(text, { source: "cluster.yaml", directory: "/" });
}

describe("the guide to balancers", () => {
	it.each([
		["## HAProxy", "haproxy"],
		["## nginx", "nginx"],
	])(
		"shows under %s what raftctl renders, byte by byte",
		(heading, language) => {
			const inventory = inventoryOf(blockBehind(heading, "yaml"));
			expect(blockBehind(heading, language).trimEnd()).toBe(
				renderBalancer(inventory).text.trimEnd(),
			);
		},
	);

	it("shows a request that is just what a script is given", async () => {
		const directory = mkdtempSync(join(tmpdir(), "raftctl-docs-"));
		writeFileSync(join(directory, "balancer.sh"), "#!/bin/sh\ncat > given\n");
		chmodSync(join(directory, "balancer.sh"), 0o755);
		const inventory = inventoryOf(
			[
				"name: orders\nid: orders-1",
				"hosts: { h1: 10.0.0.1 }\nnodes: [{ id: n1, host: h1 }]",
				blockBehind("## command", "yaml"),
			].join("\n"),
		);
		const entry = inventory.balancer;
		if (entry?.kind !== "command") throw new Error("it is no command");
		const argv = ["/usr/bin/env", "-C", directory, ...entry.argv];
		const balancer = commandBalancer(
			{ ...entry, argv },
			{ inventory, local: async () => localHost() },
		);
		await balancer.told?.withdraw("n1", 15_000);
		const given = await localHost().read(join(directory, "given"));
		rmSync(directory, { recursive: true });
		expect(JSON.parse(Buffer.from(given ?? []).toString())).toEqual(
			JSON.parse(blockBehind("## command", "json")),
		);
	});

	it("shows an answer that raftctl takes", () => {
		const shown = blocks.filter(({ info }) => info === "json").at(-1);
		expect(backendsOf(shown?.text ?? "")).toHaveLength(2);
	});
});

describe("the template of a haproxy.cfg", () => {
	it("is a configuration with the part of the guide's cluster (`vitest -u` rewrites it)", async () => {
		const inventory = inventoryOf(blockBehind("## HAProxy", "yaml"));
		const entry = inventory.balancer;
		if (entry?.kind !== "haproxy") throw new Error("it is no HAProxy");
		const own = [
			"# What HAProxy needs before `raftctl balancer apply` writes its part; docs/balancer.md says why it is as it is.",
			"global",
			"    log /dev/log local0",
			"    user haproxy",
			"    group haproxy",
			"    # raftctl asks and steers here: level admin, open to the group.",
			"    stats socket /run/haproxy/admin.sock mode 660 level admin group haproxy",
			"    stats timeout 30s",
			"",
		].join("\n");
		await expect(
			withSection(own, inventory.name, renderSection(inventory, entry)),
		).toMatchFileSnapshot(join(root, "templates/haproxy.cfg"));
	});
});
