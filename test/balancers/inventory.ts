import { parseInventory } from "../../src/config/load.js";

/** The inventory of a cluster of three behind this balancer. */
export function inventoryWith(
	balancer: readonly string[],
	rest: readonly string[] = [],
) {
	const text = [
		"name: orders",
		"id: orders-1",
		"hosts: { h1: 10.0.0.1, h2: node2.example.net, h3: 10.0.0.3, lb: 10.0.0.9, lb2: 10.0.0.10 }",
		"nodes:",
		"  - { id: n1, host: h1 }",
		"  - { id: n2, host: h2 }",
		'  - { id: n3, host: h3, admin: "10.1.0.3:7132", agent: "10.1.0.3:7133" }',
		"balancer:",
		...balancer.map((line) => `  ${line}`),
		...rest,
	].join("\n");
	return parseInventory(text, { source: "cluster.yaml", directory: "/orders" });
}
