import { expect, it } from "vitest";
import { clusterOf, hostsOf } from "./guide.js";
import { theLab } from "./the-lab.js";

it("has in its guide a cluster file by which raftctl reaches the machines", async () => {
	const lab = await theLab();
	const inventory = clusterOf(lab);
	const hosts = hostsOf(inventory);
	try {
		const reached = inventory.nodes.map(async (node) => {
			const host = await hosts.host(node.host, null);
			const { stdout } = await host.run(["hostname"], { timeoutMs: 20_000 });
			return [node.id, stdout.trim(), node.peer.split(":")[0]];
		});
		expect(await Promise.all(reached)).toEqual([
			["n1", "h1", lab.address("h1")],
			["n2", "h2", lab.address("h2")],
			["n3", "h3", lab.address("h3")],
		]);
	} finally {
		await hosts.close();
	}
});
