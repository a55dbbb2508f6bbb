import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseInventory } from "../../src/config/load.js";

const place = { source: "cluster.yaml", directory: "/clusters" };

function balancerOf(lines: readonly string[]) {
	const text = [
		"name: orders",
		"id: orders-1",
		"nodes: [{ id: n1, host: h1 }, { id: n2, host: h2 }, { id: n3, host: h2 }]",
		"hosts: { h1: 10.0.0.1, h2: 10.0.0.2, lb: 10.0.0.9, lb2: 10.0.0.10 }",
		"balancer:",
		...lines.map((line) => `  ${line}`),
	].join("\n");
	return parseInventory(text, place);
}

describe("the balancer of a cluster file", () => {
	it("is reached at its first host's address, with the port it listens on", () => {
		const { balancer } = balancerOf([
			"kind: haproxy",
			"hosts: [lb, lb2]",
			'listen: "*:8080"',
		]);
		expect(balancer).toMatchObject({
			hosts: ["lb", "lb2"],
			bind: "*:8080",
			listen: "10.0.0.9:8080",
			socket: "/run/haproxy/admin.sock",
			checkIntervalMs: 500,
		});
	});

	it("is reached where it listens, when that is one address, or where the file says", () => {
		const one = ["kind: nginx", "host: lb", "listen: 10.1.1.1:80"];
		expect(balancerOf(one).balancer?.listen).toBe("10.1.1.1:80");
		const named = [...one, "address: orders.example.net:80"];
		expect(balancerOf(named).balancer?.listen).toBe("orders.example.net:80");
	});

	it("gives nodes behind HAProxy an agent-check port beside their others, and no other nodes", () => {
		const behind = (lines: string[]) =>
			balancerOf(lines).nodes.map(({ agent }) => agent);
		expect(behind(["kind: haproxy", 'listen: "*:8080"'])).toEqual([
			"10.0.0.1:7113",
			"10.0.0.2:7123",
			"10.0.0.2:7133",
		]);
		expect(behind(["kind: nginx", 'listen: "*:8080"'])).toEqual([
			null,
			null,
			null,
		]);
	});

	it("may be any of the kinds that the template shows", () => {
		const template = readFileSync(
			join(import.meta.dirname, "../../templates/cluster.yaml"),
			"utf8",
		);
		const shown = template.match(/^# balancer:\n(# {2}.*\n)+/gm) ?? [];
		expect(shown).toHaveLength(3);
		const kinds = shown.map((block) => {
			const text = template
				.replace(/^balancer:\n( .*\n)+/m, "")
				// Not every kind passes it on.
				.replace(/^tls:\n( .*\n)+/m, "")
				.replace(block, block.replaceAll(/^# /gm, ""));
			return parseInventory(text, place).balancer?.kind;
		});
		expect(kinds).toEqual(["haproxy", "nginx", "command"]);
	});
});
